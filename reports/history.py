"""How the verdicts of many runs follow one another, without holding the runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from reports.cells import cells
from reports.escape import line
from reports.model import Report, Target
from reports.words import Verdict

_VERDICTS = tuple(Verdict)
_NOTHING = len(_VERDICTS)


@dataclass(frozen=True)
class Run:
    """One report: when it ran, and the release of each target by its id."""

    started: datetime
    suite_version: str
    releases: dict[str, str]
    set_ups: dict[str, int]
    """A number for each target; the same where a change of verdict is a flip."""


@dataclass(frozen=True)
class Span:
    """Neighbouring runs in which a cell said the same."""

    verdict: Verdict
    first: Run
    last: Run
    runs: int


@dataclass
class History:
    """The verdicts of many runs: for each cell a byte a run."""

    runs: list[Run] = field(default_factory=list)
    _set_ups: dict[tuple[object, ...], int] = field(default_factory=dict)
    _told: dict[tuple[str, str], bytearray] = field(default_factory=dict)
    _taken: set[object] = field(default_factory=set)

    def add(self, report: Report) -> None:
        """Take in one report, in any order; of the report itself nothing is kept.

        One that is there already, as by a link to the latest, counts once.
        """
        known = report.started, report.suite_version, tuple(one.id for one in report.targets)
        if known in self._taken:
            return
        self._taken.add(known)
        number = len(self.runs)
        releases = {target.id: target.release for target in report.targets}
        set_ups = {target.id: self._number(_set_up(target)) for target in report.targets}
        self.runs.append(Run(report.started, report.suite_version, releases, set_ups))
        for cell in cells(report):
            told = self._told.setdefault((cell.target.id, cell.check.id), bytearray())
            told.extend([_NOTHING] * (number - len(told)))
            told.append(_VERDICTS.index(cell.verdict))

    def _number(self, set_up: tuple[object, ...]) -> int:
        return self._set_ups.setdefault(set_up, len(self._set_ups))

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Target id and check id of every cell."""
        return sorted(self._told)

    def releases(self, target: str) -> list[str]:
        """The releases of a target that were run, in the order of their first run."""
        runs = sorted(self.runs, key=lambda run: run.started)
        return list(dict.fromkeys(run.releases[target] for run in runs if target in run.releases))

    def spans(self, target: str, check: str) -> list[Span]:
        """What a cell said over time, oldest first; runs without the cell are passed over."""
        found: list[Span] = []
        for run, verdict in self._in_time(target, check):
            if found and found[-1].verdict is verdict:
                known = found.pop()
                found.append(Span(verdict, known.first, run, known.runs + 1))
            else:
                found.append(Span(verdict, run, run, 1))
        return found

    def flips(self, target: str, check: str) -> int:
        """How often a cell changed its verdict though nothing that was asked had changed.

        That is the suite, the server with its flags and model, and the module with its protocol.
        """
        told = self._in_time(target, check)
        return sum(
            verdict is not before
            and run.suite_version == previous.suite_version
            and run.set_ups[target] == previous.set_ups[target]
            for (previous, before), (run, verdict) in pairwise(told)
        )

    def _in_time(self, target: str, check: str) -> list[tuple[Run, Verdict]]:
        told = self._told.get((target, check), bytearray())
        seen = zip(self.runs, told, strict=False)
        found = [(run, _VERDICTS[said]) for run, said in seen if said != _NOTHING]
        return sorted(found, key=lambda pair: pair[0].started)


def _set_up(target: Target) -> tuple[object, ...]:
    """What two runs of a target must have in common for a change of verdict to be a flip."""
    server = target.release, target.flags, target.model_digest
    return *server, target.provider, target.protocol


def history(reports: Iterable[Report]) -> History:
    """The history of reports that are read one after another."""
    found = History()
    for report in reports:
        found.add(report)
    return found


def as_text(found: History) -> str:
    """A line for each cell that ever changed: its verdicts with the release that began each."""
    lines = [f"{len(found.runs)} runs, {len(found.keys)} cells"]
    for target, check in found.keys:
        spans = found.spans(target, check)
        if len(spans) > 1:
            told = " → ".join(_span(span, target) for span in spans)
            lines.append(f"{target}/{check}: {told}")
    return "\n".join(lines)


def _span(span: Span, target: str) -> str:
    release = line(span.first.releases[target], 60)
    return f"{span.verdict} since {release} ({span.first.started:%Y-%m-%d})"
