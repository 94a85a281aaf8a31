"""The kill matrix: every mutant, and whether the check that it is for notices it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.run import suite_version
from reports import Kill, Outcome, Report
from reports.escape import line
from servers import ServerSpec, Target, load_server
from tests.mutants.mutant import Mutant, bench, mutants, outcomes, unharmed

#: Characters of a fault on a line of the matrix.
WIDTH = 110


@dataclass(frozen=True)
class Trial:
    """What a check gave on one mutant, or on the unharmed server, in each of its modes."""

    mutant: Mutant
    seen: tuple[Outcome, ...]

    @property
    def unharmed(self) -> bool:
        """Whether nothing was broken, so that the check has to pass."""
        return self.mutant.mends or not self.mutant.told

    @property
    def right(self) -> bool:
        """Whether the check said what it should."""
        wanted = Outcome.PASS if self.unharmed else self.mutant.gives
        return set(self.seen) == {wanted}

    def __str__(self) -> str:
        told = "passes unharmed" if self.unharmed else self.mutant.told
        seen = "" if self.right else f" [{', '.join(self.seen)}]"
        return f"  {'✔' if self.right else '✘'} {line(told, WIDTH)}{seen}"


async def trials(target: Target, checks: Collection[str]) -> AsyncIterator[Trial]:
    """Each check unharmed and on each of its mutants; an invariant has the good ones of others."""
    spec = load_server("llamacpp")
    for check in checks:
        own = [one for one in mutants() if one.check == check and not one.mends]
        whole = {str(one): one for one in (_mended(one) for one in own)}.values()
        for mutant in [*(whole if own[0].during else unharmed(check)), *own]:
            yield await tried(spec, target, mutant)


async def tried(spec: ServerSpec, target: Target, mutant: Mutant) -> Trial:
    """What its check gives on one mutant."""
    seen = []
    for one, mode in mutant.runs:
        with bench(spec, target, one, mode) as up:
            seen.append((await outcomes(up, one, mode)).get(mutant.check, Outcome.NOT_RUN))
    return Trial(mutant, tuple(seen))


def _mended(mutant: Mutant) -> Mutant:
    """The same place without the fault."""
    return Mutant(mutant.check, during=mutant.during, modes=mutant.modes)


def totals(trials: Iterable[Trial]) -> Iterator[str]:
    """How many faults were noticed, and by how many checks."""
    by_check: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_check[trial.mutant.check].append(trial)
    faults = [one for own in by_check.values() for one in own if not one.unharmed]
    noticed = sum(one.right for one in faults)
    good = sum(all(one.right for one in own if one.unharmed) for own in by_check.values())
    kill = sum(any(one.right for one in own if not one.unharmed) for own in by_check.values())
    yield f"{noticed} of {len(faults)} faults noticed, {len(faults) - noticed} survive"
    yield f"{kill} of {len(by_check)} checks notice a fault, {good} pass unharmed"


def as_report(trials: Iterable[Trial]) -> Report:
    """The same as a part of a report, to be merged with a run."""
    now = datetime.now(UTC)
    faults = [one for one in trials if not one.unharmed]
    return Report(
        suite_version=suite_version(),
        started=now,
        finished=now,
        kills=tuple(
            Kill(check=t.mutant.check, mutant=t.mutant.told, killed=t.right) for t in faults
        ),
    )
