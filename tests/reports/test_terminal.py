"""What a terminal shows while a run goes and when it has ended."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from reports import Watch, build, gate, last_run, summary_lines, table_lines
from reports.model import Report
from reports.words import Layer, Mode, Outcome
from tests.reports.sample import (
    START,
    a_check,
    a_large_report,
    a_report,
    a_report_that_warns,
    a_result,
    a_target,
    results_of,
)


def watched(console: Console) -> str:
    with Watch(console, total=2) as watch:
        watch.doing("tools.parallel-calls wire stream \x1b[31m[bold]")
        watch.done(Outcome.PASS)
        watch.done(Outcome.FAIL)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_progress_says_what_is_asked_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)
    terminal = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)

    shown = watched(terminal)

    assert "✔ 1 ✘ 1" in shown
    assert "2/2" in shown
    assert "tools.parallel-calls wire stream \\x1b[31m[bold]" in shown


def test_progress_does_not_count_what_was_expected_as_a_failure(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("CI", raising=False)
    shown = io.StringIO()

    with Watch(Console(file=shown, force_terminal=True, width=120), total=2) as watch:
        watch.done(Outcome.FAIL, expected=True)

    assert "expected 1" in shown.getvalue()
    assert "✘" not in shown.getvalue()


def test_progress_is_silent_in_ci(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")

    assert watched(Console(file=io.StringIO(), force_terminal=True)).strip() == ""


def test_progress_is_silent_in_a_pipe():
    assert not Watch(Console(file=io.StringIO()), total=1).live
    assert watched(Console(file=io.StringIO())).strip() == ""


def test_the_table_counts_both_layers():
    shown = table_lines(a_report(*results_of(Outcome.FAIL, Outcome.PASS)))

    row = next(line for line in shown if "tools" in line)
    assert "✘ 0/1 / ✔ 1/1" in row


def test_the_table_has_colours_only_where_they_are_asked_for():
    report = a_report()

    assert "\x1b[32m" in "".join(table_lines(report, colour=True))
    assert "\x1b" not in "".join(table_lines(report))


def test_a_servers_name_cannot_colour_the_table():
    report = a_report(targets=(a_target(title="\x1b[2J[red]x"),))

    assert "\\x1b[2J[red]x" in "".join(table_lines(report))


def test_the_table_keeps_to_the_width():
    shown = table_lines(a_large_report(servers=6, checks=20), width=80)

    assert max(map(len, shown)) <= 80


def test_the_summary_tells_what_is_new(tmp_path: Path):
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL))

    shown = summary_lines(report, gate(report), tmp_path, before=a_report())

    assert "Against the run of 2026-11-22 09:30 UTC: 1 broken" in shown
    assert any(line.startswith("  broken: llamacpp/tools.parallel-calls") for line in shown)


def test_checks_that_were_not_chosen_are_no_news(tmp_path: Path):
    before, report = a_large_report(servers=1, checks=20), a_large_report(servers=1, checks=3)

    shown = summary_lines(report, gate(report), tmp_path, before)

    assert any("3 unchanged" in line for line in shown)
    assert not any("removed" in line for line in shown)


WIRE = a_report(
    *(a_result(Outcome.FAIL, mode=mode) for mode in Mode),
    checks=(a_check(layers=(Layer.WIRE,)),),
)
FULL = a_report(*results_of(Outcome.FAIL, Outcome.PASS))
BOTH = (a_check(), a_check("tools.another"))
ANOTHER = [a_result(check="tools.another", mode=mode) for mode in Mode]
MODULE = a_report(*(a_result(layer=Layer.PROVIDER, mode=mode) for mode in Mode))


@pytest.mark.parametrize(
    ("before", "report"), [(FULL, WIRE), (WIRE, FULL), (FULL, MODULE), (MODULE, FULL)]
)
def test_a_layer_that_one_of_the_runs_left_out_is_no_news(
    tmp_path: Path, before: Report, report: Report
):
    shown = summary_lines(report, gate(report), tmp_path, before)

    assert any(line.endswith("UTC: 1 unchanged") for line in shown)


def test_a_failure_that_the_wire_was_not_asked_about_is_laid_on_nobody(tmp_path: Path):
    before = a_report(
        *(one.model_copy(update={"layer": Layer.PROVIDER}) for one in ANOTHER), checks=BOTH[1:]
    )
    failing = (a_result(Outcome.FAIL, layer=Layer.PROVIDER, mode=mode) for mode in Mode)
    report = a_report(*failing, checks=BOTH[:1])

    shown = summary_lines(report, gate(report), tmp_path, before)

    assert "owner: provider" not in "\n".join(shown)


def test_a_check_that_the_run_before_did_not_ask_is_no_news(tmp_path: Path):
    wire = a_check("tools.wire-only", layers=(Layer.WIRE,))
    asked = (a_result(check=wire.id, mode=mode) for mode in Mode)
    report = a_report(*FULL.results, *asked, checks=(a_check(), wire))

    shown = summary_lines(report, gate(report), tmp_path, MODULE)

    assert any(line.endswith("UTC: 1 unchanged") for line in shown)


def test_runs_of_different_layers_have_nothing_in_common(tmp_path: Path):
    shown = summary_lines(MODULE, gate(MODULE), tmp_path, WIRE)

    assert any(line.endswith("UTC: nothing to compare") for line in shown)


def test_the_summary_lists_warnings_up_to_a_bound(tmp_path: Path):
    report = a_report_that_warns(13)

    *_, ninth, tenth, more, judged = summary_lines(report, gate(report), tmp_path)

    assert ninth == "! llamacpp/tools.should-08: a SHOULD, server (owner: server)"
    assert tenth.startswith("! llamacpp/tools.should-09: ")
    assert more == "  and 3 more warnings: python -m reports gate"
    assert judged == "Gate: green, 13 warnings."


def test_many_changes_are_cut_with_a_note(tmp_path: Path):
    before, report = a_large_report(seed=0), a_large_report(seed=1)

    shown = summary_lines(report, gate(report), tmp_path, before)

    assert any(line.endswith(" more: python -m reports diff") for line in shown)


def at(hour: int, **other: object) -> Report:
    started = START + timedelta(hours=hour)
    return a_report(started=started, finished=started + timedelta(minutes=1), **other)


def test_the_last_run_is_the_newest_that_asked_the_same(tmp_path: Path):
    build(at(0), tmp_path / "a")
    build(at(2), tmp_path / "b")
    build(at(3, asked=("vllm",)), tmp_path / "c")
    build(at(4).model_copy(update={"finished": None}), tmp_path / "d")
    (tmp_path / "e").mkdir()
    (tmp_path / "e/report.json").write_text("{}")
    now = at(5)
    build(now, tmp_path / "now")
    (tmp_path / "latest").symlink_to("now")

    assert last_run(tmp_path / "now", now) == at(2)


def test_the_first_run_has_none_before(tmp_path: Path):
    build(at(0), tmp_path / "now")

    assert last_run(tmp_path / "now", at(0)) is None


def test_targets_of_one_server_are_told_apart():
    twins = (a_target(id="llamacpp-2"), a_target(id="llamacpp-3"))
    report = a_report(targets=(*twins, a_target(id="vllm", title="vLLM")), results=())

    assert [report.name(target) for target in report.targets] == [
        "llamacpp (llamacpp-2)",
        "llamacpp (llamacpp-3)",
        "vLLM",
    ]
    assert "(llamacpp-3)" in "\n".join(table_lines(report))
