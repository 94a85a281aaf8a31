"""Known divergences: which of a server's expectations applies to a cell."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.specifiers import SpecifierSet

from conformance.catalogue import catalogue
from reports import Expectation, Layer, Mode, Outcome
from servers import Expectation as Known
from servers import ServersError


def expectation(
    known: Sequence[Known], version: str, check: str, layer: Layer, mode: Mode
) -> Expectation | None:
    """The first expectation for this cell on this version of the server, if there is one."""
    for one in known:
        here = one.check == check and layer in one.layers and mode in one.modes
        if here and SpecifierSet(one.versions).contains(version, prereleases=True):
            return _reported(one)
    return None


def ensure_known_checks(server: str, known: Sequence[Known]) -> None:
    """`ServersError` if an expectation names a check that the catalogue doesn't have."""
    for one in known:
        if one.check not in catalogue():
            raise ServersError(
                f"servers/{server}.yaml expects something of {one.check!r}, which is no check",
                "ids of checks are in conformance/catalogue/",
            )


def _reported(known: Known) -> Expectation:
    return Expectation(
        outcomes=tuple(Outcome(outcome) for outcome in known.outcomes),
        reason=known.reason,
        issue=str(known.issue) if known.issue else None,
        versions=known.versions or None,
        recheck_by=known.recheck_by,
    )
