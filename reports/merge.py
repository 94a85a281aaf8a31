"""One report from any number of shards: the order does not matter, nor does a shard twice."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from reports.canonical import canonical
from reports.errors import UnfitReports
from reports.exchange import Record
from reports.model import Absent, Check, Kill, Report, Result, Target
from reports.words import Layer, Mode, Outcome

Key = TypeVar("Key", bound=Hashable)
One = TypeVar("One", bound=Record)
Place = tuple[str, str, Layer, Mode, str]


def merge(reports: Iterable[Report]) -> Report:
    """Everything that any of the reports holds; each is needed only until the next.

    Raises UnfitReports where two of them contradict each other, and for no report at all.
    """
    parts = _Parts()
    for report in reports:
        parts.add(report)
    return parts.whole()


@dataclass
class _Parts:
    """What was read so far: the reports without what weighs, and that by its keys."""

    heads: list[Report] = field(default_factory=list)
    targets: dict[str, Target] = field(default_factory=dict)
    absent: dict[str, Absent] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    results: dict[Place, Result] = field(default_factory=dict)
    kills: dict[tuple[str, str], Kill] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        self.heads.append(_head(report))
        _same_suite(self.heads[0], report)
        _gather(self.targets, report.targets, lambda target: target.id, _earlier)
        _gather(self.absent, report.absent, lambda one: one.server, _first)
        _gather(self.checks, report.checks, lambda check: check.id, _same_check)
        _gather(self.results, report.results, lambda result: result.key, _judged)
        _gather(self.kills, report.kills, lambda kill: (kill.check, kill.mutant), _survived)

    def whole(self) -> Report:
        heads = self.heads
        if not heads:
            raise UnfitReports("There is no report to merge.", "Name at least one report.json.")
        ends = [head.finished for head in heads if head.finished]
        return canonical(
            Report(
                suite_version=heads[0].suite_version,
                started=min(head.started for head in heads),
                finished=max(ends) if len(ends) == len(heads) else None,
                asked=tuple(server for head in heads for server in head.asked),
                targets=tuple(self.targets.values()),
                absent=tuple(one for one in self.absent.values() if one.server not in self.targets),
                checks=tuple(self.checks.values()),
                results=tuple(self.results.values()),
                kills=tuple(self.kills.values()),
                incomplete=tuple(reason for head in heads for reason in head.incomplete),
            )
        )


def _head(report: Report) -> Report:
    """The report without what weighs."""
    return report.model_copy(
        update={"targets": (), "absent": (), "checks": (), "results": (), "kills": ()}
    )


def _gather(
    found: dict[Key, One],
    more: Iterable[One],
    key: Callable[[One], Key],
    choose: Callable[[One, One], One],
) -> None:
    """Add records under their keys; of two different ones under one key `choose` takes one."""
    for one in more:
        known = found.get(key(one))
        found[key(one)] = one if known is None or known == one else choose(known, one)


def _same_suite(first: Report, other: Report) -> None:
    if first.suite_version != other.suite_version:
        raise UnfitReports(
            f"One report is of suite {first.suite_version}, another of {other.suite_version}.",
            "Merge only what one version of the suite has judged; compare others with `diff`.",
        )


def _earlier(known: Target, other: Target) -> Target:
    first, second = sorted((known, other), key=lambda target: target.started)
    if first != second.model_copy(update={"started": first.started}):
        raise UnfitReports(
            f"Two targets are called {known.id} but differ in {_difference(first, second)}.",
            "Run all shards against the same build, flags and model.",
        )
    return first


def _same_check(known: Check, other: Check) -> Check:
    """A run of one layer alone leaves the other out of the row; both together have it."""
    layers = tuple(layer for layer in Layer if layer in {*known.layers, *other.layers})
    whole = known.model_copy(update={"layers": layers})
    if whole != other.model_copy(update={"layers": layers}):
        field = _difference(whole, other)
        raise UnfitReports(
            f"The check {known.id} reads differently in two reports: they differ in {field}.",
            "Merge only what the same catalogue has judged.",
        )
    return whole


def _difference(one: Record, other: Record) -> str:
    """The first field in which two records of a kind differ."""
    fields = type(one).model_fields
    return next(name for name in fields if getattr(one, name) != getattr(other, name))


def _judged(known: Result, other: Result) -> Result:
    """A result that ran goes before one that didn't."""
    ran = [result for result in (known, other) if result.outcome is not Outcome.NOT_RUN]
    if len(ran) == 2:
        place = f"{known.target}/{known.check} ({known.layer}, {known.mode})"
        raise UnfitReports(
            f"Two reports judged {place} on their own.",
            "Merge the shards of one run; compare two runs with `diff`.",
        )
    return ran[0] if ran else _first(known, other)


def _survived(known: Kill, other: Kill) -> Kill:
    """A fault that was overlooked once is not noticed."""
    return other if known.killed else known


def _first(known: One, other: One) -> One:
    return min(known, other, key=lambda one: one.model_dump_json())
