"""Every check is green on a real server, and red on a mutant of it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from conformance.bench import Bench
from conformance.catalogue import catalogue
from conformance.outcome import outcome_of
from reports import Layer, Mode, Outcome
from servers import ServerSpec, Target
from servers.faults import parse_fault
from servers.tap import Tap
from tests.conformance.forgetful import forgetful

MUTANTS = yaml.safe_load((Path(__file__).parent / "mutants.yaml").read_text())
CHAPTERS = sorted((Path(__file__).parents[2] / "conformance").glob("test_*.py"))


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


def cells() -> Iterator[Any]:
    """Each mutant in each mode of the check that it is for."""
    for check, mutants in MUTANTS.items():
        for mutant in mutants:
            for mode in catalogue()[check].modes:
                ((kind, text),) = mutant.items()
                yield pytest.param(check, kind, text, mode, id=f"{check}-{mode}-{text}")


@contextmanager
def mutated(spec: ServerSpec, target: Target, kind: str, text: str) -> Iterator[Bench]:
    """The target with one fault, on the bench."""
    with ExitStack() as stack:
        if kind == "ignores":
            target = replace(target, url=stack.enter_context(forgetful(target.url, text)))
        faults = [parse_fault(text)] if kind == "fault" else []
        parts = urlsplit(target.url)
        tap = stack.enter_context(Tap(str(parts.hostname), int(parts.port or 0), faults=faults))
        yield Bench(spec, target, tap, "provider-openai")


async def outcome(bench: Bench, check: str, mode: Mode) -> Outcome:
    """What the check's body gives on the wire."""
    async with bench.asker(Layer.WIRE, mode) as ask:
        try:
            await BODIES[check](ask)
        except Exception as error:  # noqa: BLE001  (it is what is looked at)
            return outcome_of(error)
    return outcome_of(None)


def test_every_row_has_a_check_and_every_check_a_row() -> None:
    assert set(BODIES) == set(catalogue())


def test_every_check_has_a_mutant() -> None:
    assert set(MUTANTS) == set(catalogue())


@pytest.mark.parametrize("check", sorted(MUTANTS))
async def test_unharmed_server_passes(spec: ServerSpec, target: Target, check: str) -> None:
    with mutated(spec, target, "unharmed", "") as bench:
        seen = {mode: await outcome(bench, check, mode) for mode in catalogue()[check].modes}

    assert seen == dict.fromkeys(catalogue()[check].modes, Outcome.PASS)


@pytest.mark.parametrize(("check", "kind", "text", "mode"), cells())
async def test_mutant_is_killed(
    spec: ServerSpec, target: Target, check: str, kind: str, text: str, mode: Mode
) -> None:
    with mutated(spec, target, kind, text) as bench:
        seen = await outcome(bench, check, mode)

    assert seen is Outcome.FAIL
