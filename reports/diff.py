"""What changed between two reports, cell by cell."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from reports.cells import Cell, cells
from reports.escape import code
from reports.exchange import Record
from reports.marks import VERDICT
from reports.model import Report
from reports.verdict import GOOD
from reports.words import Owner, Verdict


class Kind(StrEnum):
    """How a cell changed, what needs looking at first."""

    BROKEN = "broken"
    OWNER = "changed owner"
    VERDICT = "changed verdict"
    ONCE = "ran in one alone"
    FIXED = "fixed"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


class State(Record):
    """What a cell said in one of the reports."""

    version: str
    """Of the server, with its build."""
    verdict: Verdict
    owner: Owner | None
    provider: str | None = None
    """The module, where the other report's is another one."""


class Change(Record):
    """One cell in both reports; None where a report doesn't have it."""

    kind: Kind
    target: str
    check: str
    before: State | None
    after: State | None


class Diff(Record):
    """All cells of both reports."""

    changes: tuple[Change, ...]

    @property
    def news(self) -> tuple[Change, ...]:
        """Everything but the unchanged, what broke first."""
        order = list(Kind).index
        news = (change for change in self.changes if change.kind is not Kind.UNCHANGED)
        return tuple(sorted(news, key=lambda change: order(change.kind)))

    @property
    def counts(self) -> Counter[Kind]:
        """How many cells of each kind, in the order of `Kind`."""
        found = Counter(change.kind for change in self.changes)
        return Counter({kind: found[kind] for kind in Kind if found[kind]})


def diff(before: Report, after: Report) -> Diff:
    """Compare two reports; cells are the same where target id and check id are."""
    differ = _other_providers(before, after)
    old, new = _states(before, differ), _states(after, differ)
    return Diff(
        changes=tuple(
            Change(
                kind=_kind(old.get(key), new.get(key)),
                target=key[0],
                check=key[1],
                before=old.get(key),
                after=new.get(key),
            )
            for key in sorted(old.keys() | new.keys())
        )
    )


def _other_providers(before: Report, after: Report) -> set[str]:
    """The targets that the two reports asked through different modules."""
    known = {target.id: target.provider for target in before.targets}
    return {one.id for one in after.targets if known.get(one.id, one.provider) != one.provider}


def _states(report: Report, differ: set[str]) -> dict[tuple[str, str], State]:
    return {(cell.target.id, cell.check.id): _state(cell, differ) for cell in cells(report)}


def _state(cell: Cell, differ: set[str]) -> State:
    target = cell.target
    provider = target.provider if target.id in differ else None
    return State(version=target.release, verdict=cell.verdict, owner=cell.owner, provider=provider)


def _kind(before: State | None, after: State | None) -> Kind:
    if before is None or after is None:
        return Kind.ADDED if after else Kind.REMOVED
    if (before.verdict is Verdict.NOT_RUN) != (after.verdict is Verdict.NOT_RUN):
        return Kind.ONCE
    was_good, is_good = before.verdict in GOOD, after.verdict in GOOD
    if was_good != is_good:
        return Kind.FIXED if is_good else Kind.BROKEN
    if before.owner != after.owner:
        return Kind.OWNER
    return Kind.VERDICT if before.verdict != after.verdict else Kind.UNCHANGED


def as_text(found: Diff) -> str:
    """Plain lines: how many of each kind, then each cell that changed."""
    lines = [_told(found)]
    lines += [f"{one.kind}: {one.target}/{one.check}: {_from_to(one)}" for one in found.news]
    return "\n".join(lines)


def as_markdown(found: Diff) -> str:
    """The same as a table, fit for a comment on a pull request."""
    if not found.news:
        return _told(found)
    rows = [
        f"| {one.kind} | {code(one.target)} | {code(one.check)} | {_from_to(one)} |"
        for one in found.news
    ]
    head = "| change | target | check | before → after |\n| --- | --- | --- | --- |"
    return "\n".join([_told(found), "", head, *rows])


def _told(found: Diff) -> str:
    counted = [f"{number} {kind}" for kind, number in found.counts.items()]
    return ", ".join(counted) or "nothing to compare"


def _from_to(change: Change) -> str:
    return " → ".join(_shown(change))


def _shown(change: Change) -> Iterator[str]:
    for state in (change.before, change.after):
        yield _told_of(state) if state else "–"


def _told_of(state: State) -> str:
    whose = f" (owner: {state.owner})" if state.owner else ""
    through = f" through {code(state.provider)}" if state.provider else ""
    return f"{VERDICT[state.verdict]} {state.verdict}{whose}{through}"
