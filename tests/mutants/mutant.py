"""Servers and modules with a single fault each, and which check notices it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from conformance.bench import Bench
from conformance.catalogue import catalogue, optional_checks
from conformance.judge import watched
from conformance.module import Module
from conformance.outcome import outcome_of
from reports import Layer, Mode, Outcome
from servers import ServerSpec, Target
from servers.faults import parse_fault
from servers.tap import Tap
from tests.mutants.broken_module import broken
from tests.mutants.forgetful import (
    CannedAnswer,
    answering,
    editing,
    forgetful,
    insistent,
    splitting,
    swapping,
)

CHAPTERS = sorted((Path(__file__).parents[2] / "conformance").glob("test_*.py"))


@dataclass(frozen=True)
class Mutant:
    """One fault, and the check that it must turn red."""

    check: str
    fault: str = ""
    ignores: str = ""
    adds: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    edits: dict[str, str] = field(default_factory=dict)
    swaps: str = ""
    splits: str = ""
    breaks: str = ""
    #: The requests that are concerned: a regular expression over all of a request.
    when: str = ""
    #: What the check must say of it.
    gives: Outcome = Outcome.FAIL
    #: For an invariant: the check during which it is looked at.
    during: str = ""
    #: Not harmed but mended: what a check must pass on that the real server fails, and what is
    #: harmed in the real server's stead.
    mends: bool = False
    modes: list[str] = field(default_factory=list)

    @property
    def body(self) -> str:
        """The check whose body runs."""
        return self.during or self.check

    @property
    def layer(self) -> Layer:
        """Where it shows: the module's faults through the module alone."""
        return Layer.PROVIDER if self.breaks else catalogue()[self.body].layers[0]

    @property
    def runs(self) -> list[tuple[Mutant, Mode]]:
        """Each mode that it is run in."""
        modes = catalogue()[self.body].modes
        return [(self, mode) for mode in modes if not self.modes or mode in self.modes]

    @property
    def told(self) -> str:
        """The fault in words."""
        kinds = {
            "on the wire": self.fault,
            "the server ignores": self.ignores,
            "the server acts as if it were told": self.adds,
            "the server answers": self._answers,
            "the server's answers are edited": self.edits,
            "the server mixes up": self.swaps,
            "the server splits": self.splits,
            "the module": self.breaks,
        }
        found = [f"{kind}: {what}" for kind, what in kinds.items() if what]
        if not found:
            return ""
        when = f" (asked /{self.when}/)" if self.when else ""
        where = f" (in {self.during})" if self.during else ""
        gives = f" (gives {self.gives})" if self.gives is not Outcome.FAIL else ""
        return "; ".join(found) + when + where + gives

    @property
    def _answers(self) -> str:
        if not self.answers:
            return ""
        answer = CannedAnswer(**self.answers)
        return f"/{answer.when}/ with {answer.status} {answer.content.decode()[:100]}"

    def __str__(self) -> str:
        told = [self.fault, self.ignores, *self.adds, self.answers.get("when")]
        told += [*self.edits, self.swaps, self.splits, self.breaks]
        return f"{self.check}-{next(filter(None, told), 'unharmed')}"


@cache
def mutants() -> list[Mutant]:
    """All of them, from the files in `faults`, whose README tells the keys."""
    files = sorted((Path(__file__).parent / "faults").glob("*.yaml"))
    rows = [row for file in files for row in yaml.safe_load(file.read_text()).items()]
    return [_mutant(check, **row) for check, found in rows for row in found]


def _mutant(check: str, gives: str = Outcome.FAIL, **row: Any) -> Mutant:
    return Mutant(check, gives=Outcome(gives), **row)


def unharmed(check: str) -> list[Mutant]:
    """What a check must pass on: the real server, or where that diverges, one that is mended."""
    mended = [one for one in mutants() if one.check == check and one.mends]
    return mended or [Mutant(check)]


def mends(mutant: Mutant, mode: Mode) -> list[Mutant]:
    """What stands between the real server and a fault, or the check would fail without it."""
    own = [one for one in mutants() if one.check == mutant.check and one.mends]
    return [] if mutant.mends else [one for one in own if (one, mode) in one.runs]


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
MUTANTS = [run for one in mutants() if not one.mends for run in one.runs]
UNHARMED = [run for check in BODIES for one in unharmed(check) for run in one.runs]


@contextmanager
def bench(spec: ServerSpec, target: Target, mutant: Mutant, mode: Mode) -> Iterator[Bench]:
    """The target, mended where its check needs that, with the mutant's fault."""
    with ExitStack() as stack:
        if mutant.breaks:
            stack.enter_context(broken(mutant.breaks))
        for mend in mends(mutant, mode):
            mended = stack.enter_context(_bench(spec, target, mend))
            target = replace(target, url=mended.url)
        yield stack.enter_context(_bench(spec, target, mutant))


@contextmanager
def _bench(spec: ServerSpec, target: Target, mutant: Mutant) -> Iterator[Bench]:
    """The target with a single change."""
    faults = [parse_fault(mutant.fault)] if mutant.fault else []
    with _in_front(target.url, mutant) as url:
        parts = urlsplit(url)
        with Tap(str(parts.hostname), int(parts.port or 0), faults=faults) as tap:
            yield Bench("llamacpp", spec, replace(target, url=url), tap, Module("provider-openai"))


def _in_front(url: str, mutant: Mutant) -> AbstractContextManager[str]:
    if mutant.ignores:
        return forgetful(url, mutant.ignores, mutant.when)
    if mutant.adds:
        return insistent(url, mutant.adds, mutant.when)
    if mutant.edits:
        return editing(url, mutant.edits, mutant.when)
    if mutant.swaps:
        return swapping(url, mutant.swaps, mutant.when)
    if mutant.splits:
        return splitting(url, mutant.splits, mutant.when)
    return answering(url, CannedAnswer(**mutant.answers)) if mutant.answers else nullcontext(url)


async def outcomes(bench: Bench, mutant: Mutant, mode: Mode) -> dict[str, Outcome]:
    """What its check's body gives, and each invariant that applied meanwhile."""
    check = mutant.body
    error: Exception | None = None
    began = bench.moment()
    async with bench.asker(mutant.layer, mode) as ask:
        try:
            await _run(BODIES[check], ask=ask, bench=bench)
        except Exception as caught:  # noqa: BLE001  (it is what is looked at)
            error = caught
        faults = {check: error} | dict(
            watched(bench, ask, bench.exchanges(began), bench.agreements[check])
        )
    return {
        one: outcome_of(fault, optional=one in optional_checks()) for one, fault in faults.items()
    }


async def _run(body: Any, **given: Any) -> None:
    wanted = inspect.signature(body).parameters
    await body(**{name: value for name, value in given.items() if name in wanted})
