"""Every check is green on a real server, and red on a mutant of it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from conformance.bench import Bench
from conformance.catalogue import catalogue
from conformance.invariants import INVARIANTS, judged
from conformance.outcome import outcome_of
from reports import Mode, Outcome
from servers import ServerSpec, Target
from servers.faults import parse_fault
from servers.tap import Tap
from tests.conformance.forgetful import forgetful

CHAPTERS = sorted((Path(__file__).parents[2] / "conformance").glob("test_*.py"))


@dataclass(frozen=True)
class Mutant:
    """One fault, and the check that it must turn red."""

    check: str
    fault: str = ""
    ignores: str = ""
    #: For an invariant: the check during which it is looked at.
    during: str = ""

    @property
    def body(self) -> str:
        """The check whose body runs."""
        return self.during or self.check

    def __str__(self) -> str:
        return f"{self.check}-{self.fault or self.ignores or 'unharmed'}"


def mutants() -> list[Mutant]:
    """All of them, from their file."""
    rows = yaml.safe_load((Path(__file__).parent / "mutants.yaml").read_text())
    return [Mutant(check, **mutant) for check, found in rows.items() for mutant in found]


def bodies() -> dict[str, Any]:
    """Every check's body by its id."""
    modules = [importlib.import_module(f"conformance.{file.stem}") for file in CHAPTERS]
    functions = (body for module in modules for _, body in inspect.getmembers(module))
    return {
        mark.args[0]: body
        for body in functions
        for mark in getattr(body, "pytestmark", ())
        if mark.name == "check"
    }


BODIES = bodies()
MUTANTS = [(one, mode) for one in mutants() for mode in catalogue()[one.body].modes]
UNHARMED = [(Mutant(check), mode) for check in BODIES for mode in catalogue()[check].modes]


@contextmanager
def bench(spec: ServerSpec, target: Target, mutant: Mutant) -> Iterator[Bench]:
    """The target with the mutant's fault."""
    with ExitStack() as stack:
        if mutant.ignores:
            target = replace(target, url=stack.enter_context(forgetful(target.url, mutant.ignores)))
        faults = [parse_fault(mutant.fault)] if mutant.fault else []
        parts = urlsplit(target.url)
        tap = stack.enter_context(Tap(str(parts.hostname), int(parts.port or 0), faults=faults))
        yield Bench("llamacpp", spec, target, tap, "provider-openai")


async def outcomes(bench: Bench, check: str, mode: Mode) -> dict[str, Outcome]:
    """What a check's body gives on its first layer, and each invariant that applied meanwhile."""
    error: Exception | None = None
    async with bench.asker(catalogue()[check].layers[0], mode) as ask:
        try:
            await BODIES[check](ask)
        except Exception as caught:  # noqa: BLE001  (it is what is looked at)
            error = caught
    faults = {check: error} | dict(judged(ask.answered))
    return {judged_check: outcome_of(fault) for judged_check, fault in faults.items()}


def test_every_row_has_a_check_and_every_check_a_row() -> None:
    assert set(BODIES) | {one.check for one in INVARIANTS} == set(catalogue())


def test_every_check_has_a_mutant() -> None:
    assert {one.check for one in mutants()} == set(catalogue())


@pytest.mark.parametrize(("unharmed", "mode"), UNHARMED, ids=str)
async def test_unharmed_server_passes(
    spec: ServerSpec, target: Target, unharmed: Mutant, mode: Mode
) -> None:
    with bench(spec, target, unharmed) as up:
        seen = await outcomes(up, unharmed.body, mode)

    assert seen[unharmed.check] is Outcome.PASS


@pytest.mark.parametrize(("mutant", "mode"), MUTANTS, ids=str)
async def test_mutant_is_killed(
    spec: ServerSpec, target: Target, mutant: Mutant, mode: Mode
) -> None:
    with bench(spec, target, mutant) as up:
        seen = await outcomes(up, mutant.body, mode)

    assert seen[mutant.check] is Outcome.FAIL
