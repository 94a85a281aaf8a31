"""A published run: small, whole in its figures, and honest about what it leaves out."""

from pathlib import Path

import pytest

from reports.canonical import load
from reports.errors import AlteredReport, InvalidNotRun
from reports.gate import gate
from reports.model import Absent
from reports.publish import NOT_RUN, not_run, publish
from reports.readme import BEGIN, END, table
from reports.words import Outcome
from tests.reports.sample import a_large_report, a_report, a_target

PUBLISHED = Path(__file__).parents[2] / "reports/published"


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    (tmp_path / NOT_RUN).write_text("- {server: lmstudio, title: LM Studio, reason: a desktop}\n")
    path = tmp_path / "README.md"
    path.write_text(f"{BEGIN}\n{END}\n")
    return path


def test_the_verdicts_are_those_of_the_run(readme: Path):
    report = a_large_report(servers=2, checks=20)

    published = publish(report, readme.parent, readme)

    assert load(readme.parent / "report.json") == published
    assert gate(published).reasons == gate(report).reasons


def test_evidence_is_kept_of_what_is_red_alone(readme: Path):
    published = publish(a_large_report(servers=2, checks=20), readme.parent, readme)

    for result in published.results:
        assert bool(result.exchanges) == (result.outcome is not Outcome.PASS)


def test_the_readme_shows_the_same_run(readme: Path):
    published = publish(a_report(), readme.parent, readme)

    assert table(published, "report.md") in readme.read_text()


def test_a_server_left_out_is_named_with_its_reason(readme: Path):
    publish(a_report(), readme.parent, readme)

    assert "LM Studio: not run here: a desktop." in readme.read_text()


def test_the_runs_own_reason_goes_before_the_lists(readme: Path):
    own = Absent(server="lmstudio", title="LM Studio", reason="it died after 2 s\nits log")
    other = Absent(server="vllm-0.31.0", title="vLLM", reason="no memory")
    listed = "- {server: vllm, title: vLLM, reason: not part of this run}\n"
    (readme.parent / NOT_RUN).write_text((readme.parent / NOT_RUN).read_text() + listed)
    report = a_report(asked=("llamacpp", "lmstudio", "vllm-0.31.0"), absent=(own, other))

    published = publish(report, readme.parent, readme)

    assert [(one.server, one.reason) for one in published.absent] == [
        ("lmstudio", "it died after 2 s"),
        ("vllm-0.31.0", "no memory"),
    ]
    assert "LM Studio: not run here: it died after 2 s." in readme.read_text()


def test_a_reason_of_the_list_is_taken_anew(readme: Path):
    published = publish(a_report(), readme.parent, readme)
    (readme.parent / NOT_RUN).write_text("- {server: lmstudio, title: LM Studio, reason: sold}\n")

    assert [one.reason for one in publish(published, readme.parent, readme).absent] == ["sold"]


def test_a_server_that_ran_is_not_called_left_out(readme: Path):
    (readme.parent / NOT_RUN).write_text("- {server: llamacpp, title: llama.cpp, reason: none}\n")

    assert publish(a_report(), readme.parent, readme).absent == ()


def test_pages_and_badges_of_an_older_run_are_gone(readme: Path):
    old = readme.parent / "evidence/llamacpp/tools.retired.md"
    badge = readme.parent / "badges/retired.svg"
    for path in (old, badge):
        path.parent.mkdir(parents=True)
        path.write_text("old")

    publish(a_report(), readme.parent, readme)

    assert not old.exists()
    assert not badge.exists()


def test_each_server_has_a_badge(readme: Path):
    publish(a_report(), readme.parent, readme)

    assert (readme.parent / "badges/llamacpp.svg").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- server: a\n  title: A\n  reasn: x\n", r"yaml:3: 0.reasn: Extra inputs"),
        ("- server: a\n  title: A\n", r"yaml:1: 0.reason: Field required"),
        ("- server: a\n- title: [\n", r"yaml:3 is no YAML"),
    ],
)
def test_a_mistake_in_the_list_is_told_with_its_line(tmp_path: Path, text: str, said: str):
    path = tmp_path / NOT_RUN
    path.write_text(text)

    with pytest.raises(InvalidNotRun, match=said):
        not_run(path)


def test_the_list_of_the_repository_is_valid():
    assert {one.server for one in not_run(PUBLISHED / NOT_RUN)} >= {"lmstudio", "ollama"}


def test_the_projects_readme_shows_the_published_run():
    """Where this fails: python -m reports publish reports/published/report.json."""
    readme = PUBLISHED.parents[1] / "README.md"

    assert (
        table(load(PUBLISHED / "report.json"), "reports/published/report.md") in readme.read_text()
    )


def test_the_published_pages_are_those_of_the_published_run(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    (tmp_path / NOT_RUN).write_bytes((PUBLISHED / NOT_RUN).read_bytes())

    publish(load(PUBLISHED / "report.json"), tmp_path, readme)

    for name in ("report.json", "report.md", "badges/llamacpp.svg"):
        assert (tmp_path / name).read_bytes() == (PUBLISHED / name).read_bytes()


def test_every_check_of_the_published_run_notices_its_faults():
    report = load(PUBLISHED / "report.json")

    assert {kill.check for kill in report.kills} == {check.id for check in report.checks}
    assert [kill for kill in report.kills if not kill.killed] == []


def test_a_run_whose_answers_were_altered_is_not_published(readme: Path):
    altered = a_target(faults=("Cut(after_bytes=3)",))

    with pytest.raises(AlteredReport, match="altered on their way"):
        publish(a_report(targets=(altered,)), readme.parent, readme)

    assert not (readme.parent / "report.json").exists()


def test_a_folder_elsewhere_has_no_list_and_is_linked(readme: Path, tmp_path: Path):
    elsewhere = tmp_path / "beside" / "published"

    publish(a_report(), elsewhere, readme)

    assert (elsewhere / "report.md").exists()
