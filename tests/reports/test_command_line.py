"""`python -m reports`: one sentence for bad input, an exit status for the gate."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.canonical import dumps, load
from reports.journal import Journal
from reports.model import Kill, Report
from reports.readme import BEGIN
from reports.readme import END as END_OF_TABLE
from reports.words import Outcome
from tests.reports.sample import END, a_check, a_report, a_result, a_target, results_of


def saved(folder: Path, outcome: Outcome, *, day: int = 22) -> str:
    path = folder / "report.json"
    started = datetime(2026, 11, day, tzinfo=UTC)
    path.write_text(dumps(a_report(*results_of(outcome, outcome), started=started)))
    return str(path)


def test_a_green_gate_exits_with_0(tmp_path: Path):
    assert main(["gate", saved(tmp_path, Outcome.PASS)]) == 0


def test_a_red_gate_exits_with_1_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["gate", saved(tmp_path, Outcome.FAIL)]) == 1

    assert "✘ llamacpp/tools.parallel-calls: whole: a MUST not met, fail" in capsys.readouterr().out


def test_a_server_named_on_the_command_line_must_have_run(tmp_path: Path):
    assert main(["gate", saved(tmp_path, Outcome.PASS), "--asked", "vllm"]) == 1


@pytest.mark.parametrize("name", ["none.json", "none.jsonl"])
def test_bad_input_exits_with_2_and_a_hint(name: str, capsys: pytest.CaptureFixture[str]):
    assert main(["gate", name]) == 2

    assert capsys.readouterr().err.startswith(f"{name} can't be read: No such file")


def test_build_writes_the_report_of_a_journal(tmp_path: Path):
    journal = Journal.create(tmp_path / "journal.jsonl", suite_version="0.1.0", asked=[])
    journal.target(a_target())
    journal.checks([a_check()])
    journal.result(a_result())
    journal.finish()

    status = main(["build", str(journal.path), "--out", str(tmp_path / "out")])

    assert status == 0
    assert (tmp_path / "out/report.json").exists()
    assert (tmp_path / "out/report.md").exists()
    assert (tmp_path / "out/evidence/llamacpp/tools.parallel-calls.md").exists()


def test_help_names_every_command():
    shown = subprocess.run(
        [sys.executable, "-m", "reports", "--help"], capture_output=True, text=True, check=True
    ).stdout

    assert {"build", "gate", "merge", "diff", "history", "readme"} <= set(shown.split())
    assert "2 bad input" in shown


def test_the_readme_names_every_command(capsys: pytest.CaptureFixture[str]):
    readme = (Path(__file__).parents[2] / "reports/README.md").read_text().split("\n## ")[0]

    with pytest.raises(SystemExit):
        main(["--help"])

    commands = set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE))
    assert set(re.findall(r"^\| `([a-z]+)[ `]", readme, re.MULTILINE)) == commands


def test_shards_become_one_report(tmp_path: Path):
    one = saved(tmp_path, Outcome.PASS)

    assert main(["merge", one, one, "--out", str(tmp_path / "merged.json")]) == 0

    assert (tmp_path / "merged.json").read_bytes() == Path(one).read_bytes()


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_diff_speaks_in_each_form(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "before").mkdir()
    before = saved(tmp_path / "before", Outcome.PASS)

    assert main(["diff", before, saved(tmp_path, Outcome.FAIL), "--as", form]) == 0

    assert "broken" in capsys.readouterr().out


def test_history_tells_how_many_runs_it_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "before").mkdir()
    before = saved(tmp_path / "before", Outcome.PASS, day=21)
    latest = saved(tmp_path, Outcome.PASS)

    assert main(["history", before, latest, latest]) == 0

    assert capsys.readouterr().out == "2 runs, 1 cells\n"


def test_a_readme_without_markers_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n")

    assert main(["readme", saved(tmp_path, Outcome.PASS), str(readme)]) == 2

    assert "no place for the table" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "junit", "sarif", "github-annotations"])
def test_a_report_is_shown_in_each_form(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["show", saved(tmp_path, Outcome.FAIL), "--as", form]) == 0

    assert "llamacpp" in capsys.readouterr().out


def test_badges_are_written_for_each_server(tmp_path: Path):
    assert main(["badges", saved(tmp_path, Outcome.PASS), "--out", str(tmp_path)]) == 0

    assert {path.name for path in tmp_path.glob("llamacpp.*")} == {"llamacpp.svg", "llamacpp.json"}


def test_the_site_is_written_with_its_page_of_changes(tmp_path: Path):
    (tmp_path / "before").mkdir()
    before = saved(tmp_path / "before", Outcome.PASS, day=21)
    after = saved(tmp_path, Outcome.FAIL)

    status = main(
        ["site", after, "--out", str(tmp_path / "site"), "--before", before, "--history", before]
    )

    assert status == 0
    assert (tmp_path / "site/diff.html").exists()
    assert "2 runs were compared" in (tmp_path / "site/trust.html").read_text()


def test_a_run_and_its_kill_matrix_are_published_together(tmp_path: Path):
    (tmp_path / "run").mkdir()
    run = saved(tmp_path / "run", Outcome.FAIL)
    noticed = Kill(check="tools.parallel-calls", mutant="cut:9", killed=True)
    matrix = Report(suite_version="0.1.0", started=END, finished=END, kills=(noticed,))
    (tmp_path / "kills.json").write_text(dumps(matrix))
    (tmp_path / "not-run.yaml").write_text("[]")
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END_OF_TABLE}\n")

    out = ["--out", str(tmp_path), "--readme", str(readme)]
    assert main(["publish", run, str(tmp_path / "kills.json"), *out]) == 0

    assert load(tmp_path / "report.json").kills == (noticed,)
    assert load(tmp_path / "report.json").results == load(Path(run)).results


@pytest.mark.parametrize("command", ["build", "site", "badges"])
def test_a_folder_that_is_a_file_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
):
    (tmp_path / "taken").write_text("")

    status = main([command, saved(tmp_path, Outcome.FAIL), "--out", str(tmp_path / "taken")])

    assert status == 2
    assert "taken" in capsys.readouterr().err


def test_a_merge_into_a_folder_leaves_nothing_behind(tmp_path: Path):
    report = saved(tmp_path, Outcome.FAIL)
    (tmp_path / "folder").mkdir()

    assert main(["merge", report, "--out", str(tmp_path / "folder")]) == 2

    assert not list(tmp_path.glob("*.part"))
