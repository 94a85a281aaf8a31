"""Checks counted by chapter: what the front page and the README's table show."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.cells import Cell, rows
from reports.marks import OUTCOME, PARTLY
from reports.model import Report, Target
from reports.verdict import worst_outcome
from reports.words import Layer, Outcome


@dataclass(frozen=True)
class Tally:
    """How many checks of a chapter pass on one target and layer, and which don't."""

    passed: int
    total: int
    outcomes: Mapping[str, Outcome]
    """Each check that did not pass, with its worst outcome."""

    def __str__(self) -> str:
        return f"{self.passed}/{self.total}" if self.total else "–"

    @property
    def sign(self) -> str:
        """A pass or the worst outcome; between them where only some pass."""
        if self.passed and self.outcomes:
            return PARTLY
        return OUTCOME[worst_outcome(self.outcomes.values() or [Outcome.PASS])]


@dataclass(frozen=True)
class Group:
    """One chapter on one target."""

    chapter: str
    cells: tuple[Cell, ...]
    asked: frozenset[Layer] = frozenset(Layer)
    """The layers on which the target was asked anything."""

    def tally(self, layer: Layer) -> Tally:
        """What one layer of the chapter gave; of one that was not asked at all, nothing."""
        if layer not in self.asked:
            return Tally(0, 0, {})
        found = [(cell.check.id, cell.layer(layer)) for cell in self.cells]
        told = {check: outcome for check, outcome in found if outcome}
        red = {check: one for check, one in told.items() if one is not Outcome.PASS}
        return Tally(len(told) - len(red), len(told), red)


def chapters(report: Report) -> list[str]:
    """The chapters in the order of the report."""
    return list(dict.fromkeys(check.chapter for check in report.checks))


def groups(report: Report) -> dict[tuple[str, str], Group]:
    """For each chapter and target id its cells."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for check, row in rows(report):
        for cell in row:
            found.setdefault((check.chapter, cell.target.id), []).append(cell)
    asked = {target.id: asked_layers(report, target) for target in report.targets}
    return {key: Group(key[0], tuple(row), asked[key[1]]) for key, row in found.items()}


def asked_layers(report: Report, target: Target) -> frozenset[Layer]:
    """The layers on which a target was asked anything; of one without any result, both."""
    ran = (one for one in report.results if one.outcome is not Outcome.NOT_RUN)
    return frozenset(one.layer for one in ran if one.target == target.id) or frozenset(Layer)
