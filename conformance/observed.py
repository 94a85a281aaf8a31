"""What a run saw, written into a server's file: --update-expectations.

What still holds stays. What holds no longer goes, or is narrowed to what does. What is new comes
with a reason to be filled in, without which the file is refused. Verdicts `provider` and `error`
are never written: they are ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from conformance.cell import Cell as Place
from conformance.entries import Entries, rewritten, split, written
from conformance.expectations import which
from reports import Cell, Layer, Level, Mode, Outcome, Report, Result, Verdict
from reports import cells as table
from reports.atomic import write_whole
from reports.escape import line
from servers import ServerSpec
from servers.spec import NO_REASON_YET

#: How long an expectation is good for: a quarter of a year.
GOOD_FOR = timedelta(days=92)
#: Characters of a result's message that stand where the reason is to be written.
HINT = 100

_OURS = {Verdict.PROVIDER, Verdict.ERROR}
_RED = {Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.UNSUPPORTED}


@dataclass
class Changes:
    """A server's file as a run leaves it, and the checks whose expectations are not as before."""

    text: str
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = {"added": self.added, "changed": self.changed, "removed": self.removed}
        told = [f"{len(ids)} {kind} ({', '.join(ids)})" for kind, ids in kinds.items() if ids]
        return "; ".join(told) or "as it was"

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def update(report: Report, specs: Mapping[str, ServerSpec], folder: Path) -> Iterator[str]:
    """Bring the files of all servers that ran up to date; a line for each says what changed."""
    found = table(report)
    for target in report.targets:
        file = folder / f"{specs[target.id].name}.yaml"
        own = [cell for cell in found if cell.target.id == target.id]
        changes = observed(file.read_text(), specs[target.id], own, target.started.date())
        if changes:
            write_whole(file, changes.text)
        yield f"{file}: {changes}"


def observed(text: str, spec: ServerSpec, cells: Sequence[Cell], today: date) -> Changes:
    """A server's file with the expectations that `cells`, all of one target, bear out."""
    file, changes = split(text), Changes(text)
    known, unforeseen = _sorted(spec, cells)
    for number, results in sorted(known.items(), reverse=True):
        _bring_up_to_date(file, number, results, changes)
    for results in unforeseen:
        _add(file, results, cells[0].target.release, today, changes)
    if changes:
        changes.text = file.text
    return changes


def _sorted(
    spec: ServerSpec, cells: Iterable[Cell]
) -> tuple[dict[int, list[Result]], list[list[Result]]]:
    """The results by the expectation that applies to them, and by check where none does."""
    known: dict[int, list[Result]] = defaultdict(list)
    unforeseen = []
    for cell in cells:
        new: list[Result] = []
        for result in _judged(cell):
            place = Place(result.check, result.layer, result.mode)
            during = result.case or result.check
            number = which(spec.expectations, cell.target.version, place, during)
            (new if number is None else known[number]).append(result)
        if any(_is_divergence(cell, result) for result in new):
            unforeseen.append(new)
    return known, unforeseen


def _judged(cell: Cell) -> Iterator[Result]:
    """The results in those modes whose verdict is not ours to answer for."""
    modes = [mode for mode in cell.check.modes if cell.verdict_of(mode) not in _OURS]
    ran = (result for result in cell.results if result.outcome is not Outcome.NOT_RUN)
    return (result for result in ran if result.mode in modes)


def _is_divergence(cell: Cell, result: Result) -> bool:
    """Whether it needs an expectation; what is cleanly refused does so for a MUST alone."""
    if result.outcome is Outcome.UNSUPPORTED:
        return cell.check.level is Level.MUST
    return result.outcome in _RED


def _bring_up_to_date(file: Entries, number: int, results: list[Result], changes: Changes) -> None:
    """Leave, narrow or remove an expectation, by all results that it was held against."""
    foreseen = {
        outcome for one in results if one.expectation for outcome in one.expectation.outcomes
    }
    red = [result for result in results if result.outcome in _RED]
    if len(red) == len(results) and {result.outcome for result in red} <= foreseen:
        return
    block = file.blocks[number]
    file.blocks[number : number + 1] = [rewritten(block, shape) for shape in shapes(results)]
    (changes.changed if red else changes.removed).append(results[0].check)


def _add(file: Entries, results: list[Result], release: str, today: date, changes: Changes) -> None:
    said = next(one.message or one.outcome for one in results if one.outcome in _RED)
    told = {
        "reason": f"{NO_REASON_YET}: {line(said, HINT)}",
        "seen_on": release,
        "recheck_by": today + GOOD_FOR,
    }
    for shape in shapes(results):
        file.blocks.append(written({"check": results[0].check, **shape, **told}))
    changes.added.append(results[0].check)


def shapes(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Where the red ones of one check's results are, in as few expectations as can say it.

    `layers` and `modes` are None where every one that was run is red.
    """
    red: dict[str | None, dict[tuple[Layer, Mode], Outcome]] = defaultdict(dict)
    for result in results:
        if result.outcome in _RED:
            red[result.case][result.layer, result.mode] = result.outcome
    alike: dict[frozenset[Any], list[str | None]] = defaultdict(list)
    for case, found in red.items():
        alike[frozenset(found.items())].append(case)
    for pattern, cases in alike.items():
        ran = {(one.layer, one.mode) for one in results if one.case in cases}
        for outcome in Outcome:
            places = {place for place, seen in pattern if seen is outcome}
            for rectangle in _rectangles(places, ran):
                yield {**rectangle, "during": _named(cases), "outcomes": [str(outcome)]}


def _rectangles(
    places: set[tuple[Layer, Mode]], ran: set[tuple[Layer, Mode]]
) -> Iterator[dict[str, list[str] | None]]:
    """Layers × modes that make up `places`."""
    modes_of = {layer: [m for m in Mode if (layer, m) in places] for layer in Layer}
    for modes in ([Mode.WHOLE], [Mode.STREAM], list(Mode)):
        layers = [layer for layer in Layer if modes_of[layer] == modes]
        if layers:
            all_layers = {layer for layer, _ in ran} <= set(layers)
            all_modes = {mode for layer, mode in ran if layer in layers} <= set(modes)
            yield {
                "layers": None if all_layers else [str(layer) for layer in layers],
                "modes": None if all_modes else [str(mode) for mode in modes],
            }


def _named(cases: Iterable[str | None]) -> list[str] | None:
    return sorted(case for case in cases if case) or None
