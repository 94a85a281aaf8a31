"""What changed between two runs, and over many."""

from datetime import timedelta
from typing import Any

import pytest

from reports.diff import Kind, State, as_markdown, as_text, diff
from reports.history import as_text as told
from reports.history import history
from reports.model import Report
from reports.words import Outcome, Owner, Verdict
from tests.reports.sample import START, a_check, a_report, a_target, results_of

GREEN = a_report()
RED = a_report(*results_of(Outcome.FAIL, Outcome.FAIL))
BRIDGED = a_report(*results_of(Outcome.FAIL, Outcome.PASS))
OURS = a_report(*results_of(Outcome.PASS, Outcome.FAIL))
SET_UP = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, owner=Owner.SET_UP))
NOT_RUN = a_report(*results_of(Outcome.PASS, Outcome.NOT_RUN))
UNCLEAR = a_report(*results_of(Outcome.INCONCLUSIVE, Outcome.FAIL, owner=Owner.SERVER))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (GREEN, GREEN, Kind.UNCHANGED),
        (GREEN, RED, Kind.BROKEN),
        (RED, GREEN, Kind.FIXED),
        (RED, BRIDGED, Kind.FIXED),
        (GREEN, BRIDGED, Kind.OWNER),
        (RED, OURS, Kind.OWNER),
        (RED, SET_UP, Kind.OWNER),
        (RED, UNCLEAR, Kind.VERDICT),
        (GREEN, NOT_RUN, Kind.ONCE),
        (NOT_RUN, RED, Kind.ONCE),
        (NOT_RUN, NOT_RUN, Kind.UNCHANGED),
    ],
)
def test_a_cell_changes_in_one_way(before: Report, after: Report, kind: Kind):
    assert [change.kind for change in diff(before, after).changes] == [kind]


def test_new_and_retired_checks_are_added_and_removed():
    before = a_report(checks=(a_check(), a_check("tools.old")))
    after = a_report(checks=(a_check(), a_check("tools.new")))

    found = {change.check: change.kind for change in diff(before, after).news}

    assert found == {"tools.new": Kind.ADDED, "tools.old": Kind.REMOVED}


def test_a_diff_is_told_as_text():
    assert as_text(diff(GREEN, RED)).splitlines() == [
        "1 broken",
        "broken: llamacpp/tools.parallel-calls: ✔ works → ✘ server (owner: server)",
    ]


def test_the_module_is_told_where_it_is_another_one():
    other = a_report(targets=(a_target(provider="provider-openai 1.0.0"),))

    [change] = diff(GREEN, other).changes
    assert change.before
    assert (change.before.provider, diff(GREEN, RED).changes[0].before) == (
        "provider-openai 1.1.0",
        State(version=change.before.version, verdict=Verdict.WORKS, owner=None),
    )
    assert "✔ works through `provider-openai 1.0.0` → ✘ server" in as_text(diff(other, RED))


def test_a_diff_is_told_as_a_table():
    shown = as_markdown(diff(RED, GREEN))

    assert "| fixed | `llamacpp` | `tools.parallel-calls` |" in shown


def test_no_news_is_a_line():
    assert as_markdown(diff(GREEN, GREEN)) == "1 unchanged"


def at(day: int, report: Report, build: str = "b1") -> Report:
    started = START + timedelta(days=day)
    return report.model_copy(update={"started": started, "targets": (a_target(build=build),)})


def test_history_joins_neighbours_that_say_the_same():
    found = history([at(0, GREEN), at(1, GREEN), at(2, RED), at(3, GREEN)])

    spans = found.spans("llamacpp", "tools.parallel-calls")

    assert [(span.verdict, span.runs) for span in spans] == [
        (Verdict.WORKS, 2),
        (Verdict.SERVER, 1),
        (Verdict.WORKS, 1),
    ]


def test_history_goes_by_time_not_by_the_order_of_reading():
    found = history([at(2, RED), at(0, GREEN), at(1, GREEN)])

    spans = found.spans("llamacpp", "tools.parallel-calls")

    assert [span.verdict for span in spans] == [Verdict.WORKS, Verdict.SERVER]


def test_a_change_with_the_server_is_no_flip():
    found = history([at(0, GREEN, "b1"), at(1, RED, "b2"), at(2, GREEN, "b2")])

    assert found.flips("llamacpp", "tools.parallel-calls") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "provider-openai 1.0.0"},
        {"protocol": "responses"},
        {"flags": ("--seed", "1")},
        {"model_digest": "sha256:ffffff"},
    ],
)
def test_a_change_with_module_protocol_flags_or_model_is_no_flip(other: dict[str, Any]):
    changed = at(1, RED).model_copy(update={"targets": (a_target(build="b1", **other),)})

    found = history([at(0, GREEN), changed])

    assert found.flips("llamacpp", "tools.parallel-calls") == 0


def test_a_run_without_the_cell_is_passed_over():
    empty = a_report(checks=(a_check("text.plain"),), results=())
    found = history([at(0, GREEN), at(1, empty), at(2, GREEN)])

    assert [span.runs for span in found.spans("llamacpp", "tools.parallel-calls")] == [2]


def test_history_tells_since_which_release():
    shown = told(history([at(0, RED, "b1"), at(1, GREEN, "b2")]))

    assert "server since 2026.10.11549 (b1) (2026-11-22) → works since" in shown
