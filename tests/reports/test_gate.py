"""The gate fails on each reason of design §2, and on nothing else."""

from datetime import date

import pytest

from reports.gate import Gate, gate
from reports.model import Absent, Report
from reports.words import Layer, Level, Mode, Outcome, Owner
from tests.reports.sample import (
    END,
    START,
    a_check,
    a_report,
    a_result,
    a_target,
    an_expectation,
    results_of,
)


def kinds(judged: Gate) -> set[str]:
    return {reason.kind for reason in judged.reasons}


def test_all_right_is_green():
    judged = gate(a_report())

    assert judged.passed
    assert judged.warnings == ()


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.UNSUPPORTED])
def test_a_must_that_did_not_pass_at_the_provider_layer_is_red(outcome: Outcome):
    report = a_report(*results_of(outcome, outcome))

    judged = gate(report)

    assert kinds(judged) == {"must"}
    assert not judged.passed


def test_a_must_that_was_not_run_is_red():
    report = a_report(*results_of(Outcome.PASS, Outcome.NOT_RUN))

    assert kinds(gate(report)) == {"must"}


def test_a_must_without_any_result_is_red():
    report = a_report(a_result(), checks=(a_check(), a_check("text.plain")))

    judged = gate(report)

    assert "llamacpp/text.plain" in {reason.cell for reason in judged.reasons}


def test_a_foreseen_failure_is_green():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation()))

    assert gate(report).passed


def test_our_bug_is_red_even_where_it_is_foreseen():
    known = an_expectation(outcomes=(Outcome.FAIL, Outcome.PASS))
    report = a_report(*results_of(Outcome.PASS, Outcome.FAIL, expectation=known))

    judged = gate(report)

    assert kinds(judged) == {"provider"}
    assert {reason.owner for reason in judged.reasons} == {Owner.PROVIDER}


def test_our_bug_in_a_may_is_red():
    report = a_report(*results_of(Outcome.PASS, Outcome.FAIL), checks=(a_check(level=Level.MAY),))

    assert kinds(gate(report)) == {"provider"}


def test_an_unexpected_pass_is_red():
    report = a_report(*results_of(Outcome.PASS, Outcome.PASS, expectation=an_expectation()))

    assert kinds(gate(report)) == {"expectation unmet"}


def test_an_overdue_expectation_is_red():
    known = an_expectation(recheck_by=date(2026, 11, 21))
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=known))

    assert kinds(gate(report)) == {"expectation overdue"}


def test_an_expectation_holds_on_its_last_day():
    known = an_expectation(recheck_by=date(2026, 11, 22))
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=known))

    assert gate(report).passed


def test_an_error_is_red_and_the_suites():
    report = a_report(*results_of(Outcome.ERROR, Outcome.PASS))

    judged = gate(report)

    assert kinds(judged) == {"error"}
    assert {reason.owner for reason in judged.reasons} == {Owner.SUITE}


def test_a_server_that_was_asked_for_and_has_no_result_is_red():
    absent = Absent(server="vllm", title="vLLM", reason="it died after 2 s")
    report = a_report(asked=("llamacpp", "vllm"), absent=(absent,))

    judged = gate(report)

    assert kinds(judged) == {"server missing"}
    assert "it died after 2 s" in judged.reasons[0].message


def a_report_of_two_releases(*absent: Absent) -> Report:
    """Asked for `llamacpp` and `llamacpp-b11000`, and only the second one has results."""
    other = a_target("llamacpp-b11000", server="llamacpp")
    results = results_of(Outcome.PASS, Outcome.PASS, target=other.id)
    asked = ("llamacpp", other.id)
    return a_report(*results, asked=asked, targets=(other,), absent=absent)


def test_another_release_does_not_stand_for_a_server_that_stayed_away():
    absent = Absent(server="llamacpp", title="llama.cpp", reason="it died after 2 s")

    judged = gate(a_report_of_two_releases(absent))

    assert kinds(judged) == {"server missing"}
    assert "llamacpp was asked for and did not run: it died" in judged.reasons[0].message


def test_any_release_stands_for_a_product_that_was_asked_for():
    assert gate(a_report_of_two_releases(), asked=["llamacpp"]).passed


def test_a_run_of_nothing_is_red():
    report = Report(suite_version="0.1.0", started=START, finished=END)

    assert kinds(gate(report)) == {"nothing ran"}


def test_an_incomplete_run_is_red():
    assert kinds(gate(a_report(incomplete=("The run did not finish.",)))) == {"incomplete"}


def test_a_reason_names_cell_owner_and_page():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, owner=Owner.SET_UP))

    reason = gate(report).reasons[0]

    assert reason.cell == "llamacpp/tools.parallel-calls"
    assert reason.owner is Owner.SET_UP
    assert str(reason).startswith("llamacpp/tools.parallel-calls: whole: a MUST not met, fail")


def test_a_should_that_fails_only_warns():
    report = a_report(
        *results_of(Outcome.FAIL, Outcome.FAIL), checks=(a_check(level=Level.SHOULD),)
    )

    judged = gate(report)

    assert judged.passed
    assert len(judged.warnings) == 1


def test_a_must_of_the_wire_alone_warns():
    check = a_check(layers=(Layer.WIRE,), modes=(Mode.WHOLE,))
    report = a_report(a_result(Outcome.FAIL), checks=(check,))

    judged = gate(report)

    assert judged.passed
    assert judged.warnings[0].owner is Owner.SERVER


def test_a_may_is_only_recorded():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL), checks=(a_check(level=Level.MAY),))

    judged = gate(report)

    assert judged.passed
    assert judged.warnings == ()


def test_what_the_set_up_lacks_is_red_and_not_called_our_bug():
    check = a_check(layers=(Layer.PROVIDER,))
    failed = [
        a_result(Outcome.FAIL, layer=Layer.PROVIDER, mode=mode, owner=Owner.SET_UP) for mode in Mode
    ]

    judged = gate(a_report(*failed, checks=(check,)))

    assert kinds(judged) == {"must"}
    assert {reason.owner for reason in judged.reasons} == {Owner.SET_UP}


def test_a_refusal_of_what_the_wire_is_given_is_our_bug():
    should = a_check(level=Level.SHOULD)
    report = a_report(*results_of(Outcome.PASS, Outcome.UNSUPPORTED), checks=(should,))

    assert kinds(gate(report)) == {"provider"}
