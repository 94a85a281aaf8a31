"""Shards make one report in any order; what contradicts itself is told."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import dumps
from reports.errors import UnfitReports
from reports.merge import merge
from reports.model import Absent, Kill, Report
from reports.words import Layer, Outcome
from tests.reports.sample import (
    END,
    START,
    a_check,
    a_large_report,
    a_report,
    a_result,
    a_target,
    results_of,
)

WHOLE = a_large_report(servers=3, checks=6)
SHARDS = [
    WHOLE.model_copy(
        update={
            "results": WHOLE.results[number::5],
            "targets": tuple(
                target.model_copy(update={"started": START + timedelta(seconds=number)})
                for target in WHOLE.targets
            ),
        }
    )
    for number in range(5)
]


@given(st.permutations(SHARDS))
def test_the_order_of_shards_does_not_matter(shards: list[Report]):
    assert dumps(merge(shards)) == dumps(WHOLE)


@given(st.permutations(SHARDS), st.integers(1, 4))
def test_shards_may_be_merged_in_groups(shards: list[Report], size: int):
    grouped = merge([merge(shards[:size]), merge(shards[size:])])

    assert dumps(grouped) == dumps(WHOLE)


def test_a_shard_twice_changes_nothing():
    assert dumps(merge([*SHARDS, *SHARDS])) == dumps(WHOLE)


def test_a_shard_that_did_not_finish_leaves_the_whole_unfinished():
    unfinished = SHARDS[0].model_copy(update={"finished": None, "incomplete": ("It died.",)})

    merged = merge([unfinished, *SHARDS[1:]])

    assert merged.finished is None
    assert merged.incomplete == ("It died.",)


def test_the_whole_lasts_from_the_first_start_to_the_last_end():
    late = a_report(started=START + timedelta(hours=1), finished=END + timedelta(hours=1))

    merged = merge([late, a_report()])

    assert (merged.started, merged.finished) == (START, END + timedelta(hours=1))


def test_a_server_that_ran_in_one_shard_is_not_absent():
    absent = Absent(server="llamacpp", title="llama.cpp", reason="not on this machine")

    merged = merge([a_report(), a_report(absent=(absent,))])

    assert merged.absent == ()


def test_a_server_is_absent_though_another_release_of_it_ran():
    absent = Absent(server="llamacpp", title="llama.cpp", reason="it died")
    other = a_target("llamacpp-b11000", server="llamacpp")
    ran = a_report(*results_of(Outcome.PASS, Outcome.PASS, target=other.id), targets=(other,))

    merged = merge([ran, a_report(targets=(), results=(), absent=(absent,))])

    assert merged.absent == (absent,)


@pytest.mark.parametrize("order", [*permutations([(Layer.WIRE,), (Layer.PROVIDER,), (*Layer,)])])
def test_rows_of_one_layer_and_of_the_other_become_one(order: tuple[tuple[Layer, ...], ...]):
    shards = [a_report(checks=(a_check(layers=layers),), results=()) for layers in order]

    assert merge(shards).checks == (a_check(),)


def test_what_ran_goes_before_what_did_not():
    merged = merge([a_report(a_result()), a_report(a_result(Outcome.NOT_RUN))])

    assert [result.outcome for result in merged.results] == [Outcome.PASS]


def test_of_two_that_did_not_run_either_gives_the_same():
    one = a_report(a_result(Outcome.NOT_RUN, message="no time"))
    other = a_report(a_result(Outcome.NOT_RUN, message="no room"))

    assert dumps(merge([one, other])) == dumps(merge([other, one]))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"suite_version": "0.2.0"}, "0.1.0, another of 0.2.0"),
        ({"targets": (a_target(flags=("--seed", "1")),)}, "llamacpp but differ in flags"),
        ({"targets": (a_target(build="b2"),)}, "differ in build"),
        ({"checks": (a_check(title="Something else"),)}, "parallel-calls .* they differ in title"),
        (
            {"checks": (a_check(layers=(Layer.WIRE,), why="So it is."),), "results": ()},
            "parallel-calls .* they differ in why",
        ),
    ],
)
def test_reports_that_contradict_each_other_are_refused(other: dict[str, Any], said: str):
    with pytest.raises(UnfitReports, match=said):
        merge([a_report(), a_report(**other)])


def test_two_judgements_of_one_place_are_refused():
    with pytest.raises(UnfitReports, match=r"parallel-calls \(wire, whole\) on their own"):
        merge([a_report(a_result()), a_report(a_result(Outcome.FAIL))])


def test_a_fault_that_was_overlooked_once_survives():
    noticed, overlooked = (
        a_report(kills=(Kill(check="tools.parallel-calls", mutant="cut:9", killed=killed),))
        for killed in (True, False)
    )

    assert merge([noticed, overlooked]).kills == overlooked.kills
    assert merge([overlooked, noticed]).kills == overlooked.kills


def test_nothing_can_not_be_merged():
    with pytest.raises(UnfitReports, match="no report"):
        merge([])
