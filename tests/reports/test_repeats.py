"""A check that was asked several times: the worst counts, and the rate is told."""

from pathlib import Path
from typing import Any

import pytest

from reports import Report, Result, gate, summary_lines
from reports.cells import cells
from reports.evidence import evidence
from reports.journal import Journal, read_journal
from reports.model import Rate
from reports.site import Site, build_site
from reports.wilson import wilson
from reports.words import Layer, Level, Mode, Outcome, Owner
from tests.reports.sample import a_check, a_result, a_target

ONE_PLACE: dict[str, Any] = {"layers": (Layer.WIRE,), "modes": (Mode.WHOLE,)}


def asked(folder: Path, *outcomes: Outcome) -> Report:
    """The report of a run that asked one check as often as there are outcomes."""
    path = folder / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=["llamacpp"]) as journal:
        journal.target(a_target())
        journal.checks([a_check(**ONE_PLACE)])
        for number, outcome in enumerate(outcomes, 1):
            journal.result(a_result(outcome, attempt=number, message=f"{outcome} {number}"))
        journal.finish()
    return read_journal(path)


def only(report: Report) -> Result:
    """The one result."""
    [result] = report.results
    return result


@pytest.mark.parametrize(
    ("passed", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_wilsons(passed: int, of: int, low: float, high: float):
    assert wilson(passed, of) == pytest.approx((low, high), abs=5e-4)


def test_nothing_asked_tells_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_worst_attempt_counts_and_is_the_evidence(tmp_path: Path):
    result = only(asked(tmp_path, Outcome.PASS, Outcome.FAIL, Outcome.PASS))

    assert result.outcome is Outcome.FAIL
    assert (result.attempt, result.message) == (2, "fail 2")
    assert result.rate == Rate(passed=2, of=3)


def test_what_was_asked_once_has_no_rate(tmp_path: Path):
    assert only(asked(tmp_path, Outcome.PASS)).rate is None


def test_an_error_while_cleaning_up_is_no_attempt_of_its_own(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=["llamacpp"]) as journal:
        journal.target(a_target())
        journal.checks([a_check(**ONE_PLACE)])
        journal.result(a_result(Outcome.PASS))
        journal.result(a_result(Outcome.ERROR))

    assert only(read_journal(path)).rate is None


def test_a_check_that_flips_is_named(tmp_path: Path):
    report = asked(tmp_path, Outcome.PASS, Outcome.FAIL)

    told = summary_lines(report, gate(report), tmp_path)

    assert "Asked several times: 1 results, of which 1 flip" in told
    assert "  flips: llamacpp/tools.parallel-calls wire, whole: passed 1 of 2, 9% to 91%" in told


def test_pages_tell_the_rate(tmp_path: Path):
    report = asked(tmp_path, Outcome.PASS, Outcome.FAIL)

    build_site(Site(report), tmp_path)

    page = (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()
    trust = (tmp_path / "trust.html").read_text()
    assert "passed 1 of 2, 9% to 91%" in page
    assert '<span data-figure="rated">1</span>' in trust
    assert '<span data-figure="flipping">1</span>' in trust
    assert "passed 1 of 2" in evidence(cells(report)[0])


def test_a_must_that_flips_stops_the_gate_and_no_other(tmp_path: Path):
    flipping = asked(tmp_path, Outcome.PASS, Outcome.FAIL)
    should = flipping.model_copy(update={"checks": (a_check(level=Level.SHOULD, **ONE_PLACE),)})
    of_the_model = flipping.model_copy(
        update={"results": (only(flipping).model_copy(update={"owner": Owner.MODEL}),)}
    )

    assert [reason.kind for reason in gate(flipping).reasons] == ["flips"]
    assert "flips" not in {reason.kind for reason in gate(should).reasons}
    assert "flips" not in {reason.kind for reason in gate(of_the_model).reasons}
