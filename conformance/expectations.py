"""Known divergences: which of a server's expectations applies to a cell."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.catalogue import catalogue
from conformance.cell import Cell
from reports import Expectation, Outcome
from servers import Expectation as Known
from servers import ServersError


def expectation(
    known: Sequence[Known], version: str, cell: Cell, during: str
) -> Expectation | None:
    """The first expectation for `cell` on this version of the server, if there is one.

    `during` is the check that ran: `cell`'s own, or the one that an invariant watched.
    """
    for one in known:
        here = one.check == cell.check and cell.layer in one.layers and cell.mode in one.modes
        here = here and (not one.during or during in one.during)
        if here and _covers(one.versions, version):
            return _reported(one)
    return None


def _covers(versions: str, version: str) -> bool:
    """Whether a range holds a version; one that is unknown is in no range but the empty one."""
    try:
        return SpecifierSet(versions).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return not versions


def ensure_known_checks(server: str, known: Sequence[Known]) -> None:
    """`ServersError` if an expectation names a check that the catalogue doesn't have."""
    for one in known:
        for check in (one.check, *one.during):
            if check not in catalogue():
                raise ServersError(
                    f"servers/{server}.yaml expects something of {check!r}, which is no check",
                    "pytest --list-checks lists the ids",
                )


def _reported(known: Known) -> Expectation:
    return Expectation(
        outcomes=tuple(Outcome(outcome) for outcome in known.outcomes),
        reason=known.reason,
        issue=str(known.issue) if known.issue else None,
        versions=known.versions or None,
        recheck_by=known.recheck_by,
    )
