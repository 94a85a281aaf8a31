"""The verdict of design §2, and what it leaves open."""

from itertools import product
from pathlib import Path

import pytest

from reports.cells import cells
from reports.gate import gate
from reports.sarif import sarif
from reports.site import Site, build_site
from reports.summary import summary_lines
from reports.verdict import owner, verdict, worst_outcome, worst_verdict
from reports.words import Layer, Outcome, Owner, Verdict
from tests.reports.sample import a_report, results_of


@pytest.mark.parametrize(
    ("wire", "provider", "expected"),
    [
        (Outcome.PASS, Outcome.PASS, Verdict.WORKS),
        (Outcome.FAIL, Outcome.PASS, Verdict.BRIDGED),
        (Outcome.UNSUPPORTED, Outcome.PASS, Verdict.BRIDGED),
        (Outcome.FAIL, Outcome.FAIL, Verdict.SERVER),
        (Outcome.PASS, Outcome.FAIL, Verdict.PROVIDER),
        (Outcome.UNSUPPORTED, Outcome.FAIL, Verdict.PROVIDER),
        (Outcome.PASS, Outcome.UNSUPPORTED, Verdict.PROVIDER),
        (Outcome.PASS, Outcome.NOT_RUN, Verdict.NOT_RUN),
        (Outcome.NOT_RUN, Outcome.FAIL, Verdict.INCONCLUSIVE),
        (Outcome.INCONCLUSIVE, Outcome.PASS, Verdict.INCONCLUSIVE),
    ],
)
def test_both_layers_give_one_verdict(wire: Outcome, provider: Outcome, expected: Verdict):
    assert verdict(wire, provider) is expected


@pytest.mark.parametrize("other", Outcome)
def test_an_error_on_either_layer_is_an_error(other: Outcome):
    assert verdict(Outcome.ERROR, other) is Verdict.ERROR
    assert verdict(other, Outcome.ERROR) is Verdict.ERROR


def test_only_two_passes_work():
    working = [pair for pair in product(Outcome, Outcome) if verdict(*pair) is Verdict.WORKS]

    assert working == [(Outcome.PASS, Outcome.PASS)]


def test_a_failure_of_the_only_layer_blames_that_layer():
    assert verdict(Outcome.FAIL, None) is Verdict.SERVER
    assert verdict(None, Outcome.FAIL) is Verdict.PROVIDER


@pytest.mark.parametrize("word", ["unsupported", "not run", "inconclusive", "error"])
def test_the_only_layer_keeps_its_word(word: str):
    assert verdict(Outcome(word), None) is Verdict(word)
    assert verdict(None, Outcome(word)) is Verdict(word)


def test_the_worst_of_nothing_is_not_run():
    assert worst_outcome([]) is Outcome.NOT_RUN
    assert worst_verdict([]) is Verdict.NOT_RUN


def test_the_wire_says_what_of_the_servers_side_it_was():
    assert owner(Verdict.SERVER, [Owner.SET_UP], [Owner.SERVER]) is Owner.SET_UP
    assert owner(Verdict.SERVER, [None], [None]) is Owner.SERVER


def test_our_own_fault_is_not_given_away():
    assert owner(Verdict.PROVIDER, [], [Owner.SERVER]) is Owner.PROVIDER
    assert owner(Verdict.ERROR, [Owner.SERVER], []) is Owner.SUITE


def test_what_works_is_nobodys():
    assert owner(Verdict.WORKS, [], []) is None


def test_what_only_one_layer_told_is_nobodys():
    assert owner(Verdict.INCONCLUSIVE, [None], [None]) is None
    assert owner(Verdict.INCONCLUSIVE, [None], [None], unclear=True) is Owner.MODEL
    assert owner(Verdict.INCONCLUSIVE, [Owner.SET_UP], []) is Owner.SET_UP


@pytest.mark.parametrize(
    ("wire", "whose"), [(Outcome.NOT_RUN, None), (Outcome.INCONCLUSIVE, Owner.MODEL)]
)
def test_the_models_is_only_what_a_result_says_is_unclear(wire: Outcome, whose: Owner | None):
    [cell] = cells(a_report(*results_of(wire, Outcome.FAIL)))

    assert (cell.verdict, cell.owner) == (Verdict.INCONCLUSIVE, whose)


def test_what_is_nobodys_says_so(tmp_path: Path):
    report = a_report(*results_of(Outcome.NOT_RUN, Outcome.FAIL))

    build_site(Site(report), tmp_path)

    assert "owner: nobody" in (tmp_path / "servers/llamacpp.html").read_text()
    assert "owner: nobody" in "".join(summary_lines(report, gate(report), tmp_path))
    assert "owner: nobody" in sarif(report)


def test_what_the_set_up_lacks_is_not_our_bug_unless_the_wire_works():
    assert verdict(None, Outcome.FAIL, set_up=True) is Verdict.SERVER
    assert verdict(Outcome.UNSUPPORTED, Outcome.FAIL, set_up=True) is Verdict.SERVER
    assert verdict(Outcome.PASS, Outcome.FAIL, set_up=True) is Verdict.PROVIDER
    assert verdict(Outcome.ERROR, None, set_up=True) is Verdict.ERROR


def test_what_fails_in_one_case_says_nothing_of_another():
    during = {"tools.choice-none": (Outcome.FAIL, Outcome.PASS)}
    during["text.plain"] = (Outcome.PASS, Outcome.FAIL)
    results = [
        one.model_copy(update={"case": case})
        for case, outcomes in during.items()
        for one in results_of(*outcomes)
    ]

    [cell] = cells(a_report(*results))

    assert cell.verdict is Verdict.PROVIDER


def test_a_case_that_only_the_wire_has_is_judged_by_it():
    [both, *_] = cells(a_report(*results_of(Outcome.PASS, Outcome.PASS)))
    alone = [
        one.model_copy(update={"case": "errors.not-json"})
        for one in results_of(Outcome.FAIL, Outcome.PASS)
        if one.layer is Layer.WIRE
    ]

    [cell] = cells(a_report(*both.results, *alone))

    assert cell.verdict is Verdict.SERVER
