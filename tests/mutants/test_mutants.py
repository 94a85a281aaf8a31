"""Every check is green on a real server, and red on a mutant of it."""

from __future__ import annotations

import pytest

from conformance.catalogue import catalogue
from conformance.judge import invariant_ids
from reports import Mode, Outcome
from servers import ServerSpec, Target
from tests.mutants.mutant import BODIES, MUTANTS, UNHARMED, Mutant, bench, mutants, outcomes


def test_every_row_has_a_check_and_every_check_a_row() -> None:
    assert set(BODIES) | invariant_ids() == set(catalogue())


def test_every_check_has_a_mutant() -> None:
    assert {one.check for one in mutants() if not one.mends} == set(catalogue())


@pytest.mark.parametrize(("whole", "mode"), UNHARMED, ids=str)
async def test_unharmed_server_passes(
    spec: ServerSpec, target: Target, whole: Mutant, mode: Mode
) -> None:
    with bench(spec, target, whole) as up:
        seen = await outcomes(up, whole, mode)

    assert seen[whole.check] is Outcome.PASS


@pytest.mark.parametrize(("mutant", "mode"), MUTANTS, ids=str)
async def test_mutant_is_killed(
    spec: ServerSpec, target: Target, mutant: Mutant, mode: Mode
) -> None:
    with bench(spec, target, mutant) as up:
        seen = await outcomes(up, mutant, mode)

    assert seen[mutant.check] is mutant.gives
