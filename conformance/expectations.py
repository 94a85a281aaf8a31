"""Known divergences: which of a server's expectations applies to a cell."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.catalogue import catalogue
from conformance.cell import Cell
from reports import Expectation, Level, Outcome, Result
from servers import Expectation as Known
from servers import ServersError


def expectation(
    known: Sequence[Known], version: str, cell: Cell, during: str
) -> Expectation | None:
    """The expectation for `cell` on this version of the server, as a report tells it."""
    number = which(known, version, cell, during)
    return None if number is None else _reported(known[number])


def which(known: Sequence[Known], version: str, cell: Cell, during: str) -> int | None:
    """The place of the first expectation for `cell` on this version, if there is one.

    `during` is the check that ran: `cell`'s own, or the one that an invariant watched.
    """
    for number, one in enumerate(known):
        here = one.check == cell.check and cell.layer in one.layers and cell.mode in one.modes
        here = here and (not one.during or during in one.during)
        if here and _covers(one.versions, version):
            return number
    return None


def _covers(versions: str, version: str) -> bool:
    """Whether a range holds a version, or a build such as b10434 by its number.

    One that is unknown is in no range but the empty one.
    """
    try:
        return SpecifierSet(versions).contains(Version(version.removeprefix("b")), prereleases=True)
    except InvalidVersion:
        return not versions


def only_if_met(result: Result) -> Result:
    """The result without an expectation that it isn't held to: one that it doesn't meet."""
    unmet = result.expectation and result.outcome not in result.expectation.outcomes
    return result.model_copy(update={"expectation": None}) if unmet else result


def ensure_known_checks(server: str, known: Sequence[Known]) -> None:
    """`ServersError` if an expectation names an unknown check, or leaves a MUST undecided."""
    for one in known:
        for check in (one.check, *one.during):
            if check not in catalogue():
                raise ServersError(
                    f"servers/{server}.yaml expects something of {check!r}, which is no check",
                    "pytest --list-checks lists the ids",
                )
        if len(one.outcomes) > 1 and catalogue()[one.check].level is Level.MUST:
            raise ServersError(
                f"servers/{server}.yaml expects several outcomes of {one.check}, which is a MUST",
                "a MUST has one outcome: find out what it depends on",
            )


def _reported(known: Known) -> Expectation:
    return Expectation(
        outcomes=tuple(Outcome(outcome) for outcome in known.outcomes),
        reason=known.reason,
        issue=str(known.issue) if known.issue else None,
        versions=known.versions or None,
        seen_on=known.seen_on,
        recheck_by=known.recheck_by,
    )
