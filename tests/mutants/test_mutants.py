"""Every check is green on a real server, and red on a mutant of it."""

from __future__ import annotations

import pytest

from conformance.catalogue import catalogue
from conformance.judge import invariant_ids
from reports import Mode, Outcome
from servers import ServerSpec, Target
from tests.mutants.matrix import totals, tried
from tests.mutants.mutant import (
    BODIES,
    MUTANTS,
    UNHARMED,
    Mutant,
    bench,
    mends,
    mutants,
    outcomes,
)

#: The checks that the real server fails.
MENDED = list(dict.fromkeys(one.check for one in mutants() if one.mends))


def test_every_row_has_a_check_and_every_check_a_row() -> None:
    assert set(BODIES) | invariant_ids() == set(catalogue())


def test_every_check_has_a_mutant_that_is_run() -> None:
    assert {one.check for one, _ in MUTANTS} == set(catalogue())


def test_every_mode_of_a_body_has_a_mutant() -> None:
    wanted = {(check, mode) for check in BODIES for mode in catalogue()[check].modes}

    assert wanted <= {(one.check, mode) for one, mode in MUTANTS}


@pytest.mark.parametrize("check", MENDED)
def test_every_mode_of_a_mended_check_has_one_mend(check: str) -> None:
    whole = Mutant(check)

    assert [len(mends(whole, mode)) for _, mode in whole.runs] == [1] * len(whole.runs)


@pytest.mark.parametrize(("whole", "mode"), UNHARMED, ids=str)
async def test_unharmed_server_passes(
    spec: ServerSpec, target: Target, whole: Mutant, mode: Mode
) -> None:
    with bench(spec, target, whole, mode) as up:
        seen = await outcomes(up, whole, mode)

    assert seen[whole.check] is Outcome.PASS


@pytest.mark.parametrize(("mutant", "mode"), MUTANTS, ids=str)
async def test_mutant_is_killed(
    spec: ServerSpec, target: Target, mutant: Mutant, mode: Mode
) -> None:
    with bench(spec, target, mutant, mode) as up:
        seen = await outcomes(up, mutant, mode)

    assert seen[mutant.check] is mutant.gives


@pytest.mark.parametrize("check", MENDED)
async def test_fault_that_does_nothing_survives(
    spec: ServerSpec, target: Target, check: str
) -> None:
    trial = await tried(spec, target, Mutant(check, ignores="no such key"))

    assert Outcome.FAIL not in trial.seen
    assert next(totals([trial])) == "0 of 1 faults noticed, 1 survive"
