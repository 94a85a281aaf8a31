"""What a run saw, written into a server's file: --update-expectations.

What still holds stays. What holds no longer goes, or is narrowed to what does. What is new comes
with a reason to be filled in, without which the file is refused. Verdicts `provider` and `error`
are never written: they are ours. Of what was not asked in this run nothing is known: it stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from conformance.catalogue import catalogue
from conformance.cell import Cell as Place
from conformance.entries import Entries, rewritten, split, written
from conformance.expectations import which
from conformance.judge import invariant_ids
from reports import Cell, Check, Layer, Level, Mode, Outcome, Report, Result, Verdict
from reports import cells as table
from reports.atomic import write_whole
from reports.escape import line
from reports.verdict import verdict
from servers import Expectation as Known
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
    asked = Asked.of(cells)
    ran = {cell.check.id: list(_ran(cell)) for cell in cells}
    for number, results in sorted(known.items(), reverse=True):
        one = spec.expectations[number]
        if one.during or asked.all_of(spec.expectations, number, cells[0].target.version):
            unasked = [case for case in one.during if not asked.whole(one, case)]
            told = [result for result in results if result.case not in unasked]
            held = Held(one, told, unasked, ran[one.check])
            _bring_up_to_date(file, number, held, changes)
    for results in unforeseen:
        new = New(results, ran[results[0].check])
        _add(file, new, cells[0].target.release, today, changes)
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


def _ran(cell: Cell) -> Iterator[Result]:
    return (result for result in cell.results if result.outcome is not Outcome.NOT_RUN)


def _judged(cell: Cell) -> Iterator[Result]:
    """The results in those modes, of those cases, whose verdict is not ours to answer for."""
    found: dict[tuple[Mode, str | None], dict[Layer, Result]] = defaultdict(dict)
    for result in _ran(cell):
        found[result.mode, result.case][result.layer] = result
    for by_layer in found.values():
        if not _is_ours({layer: one.outcome for layer, one in by_layer.items()}):
            yield from by_layer.values()


def _is_ours(outcomes: Mapping[Layer, Outcome]) -> bool:
    """Whether the module or the suite has to answer for what both layers say together."""
    together = verdict(outcomes.get(Layer.WIRE), outcomes.get(Layer.PROVIDER))
    return together in _OURS or Outcome.ERROR in outcomes.values()


def _is_divergence(cell: Cell, result: Result) -> bool:
    """Whether it needs an expectation; what is cleanly refused does so for a MUST alone."""
    if result.outcome is Outcome.UNSUPPORTED:
        return cell.check.level is Level.MUST
    return result.outcome in _RED


@dataclass(frozen=True)
class Asked:
    """What a run asked of one target, and has judged: bodies by place."""

    places: frozenset[Place]

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> Asked:
        """All that has a result which is not ours to answer for."""
        told = [one for cell in cells for one in _judged(cell)]
        return cls(frozenset(Place(one.case or one.check, one.layer, one.mode) for one in told))

    def whole(self, known: Known, case: str) -> bool:
        """Whether a check was asked wherever an expectation speaks of what is seen during it."""
        places = (one for one in _places(catalogue()[case]) if one.layer in known.layers)
        return all(one in self.places for one in places if one.mode in known.modes)

    def all_of(self, known: Sequence[Known], number: int, version: str) -> bool:
        """Whether everything was asked that an expectation without `during` speaks of."""
        check = known[number].check
        if check in invariant_ids():
            bodies = (row for row in catalogue().values() if row.id not in invariant_ids())
            return self.places.issuperset(place for row in bodies for place in _places(row))
        mine = _places(catalogue()[check])
        return all(
            place in self.places or which(known, version, place, check) != number for place in mine
        )


def _places(row: Check) -> Iterator[Place]:
    return (Place(row.id, layer, mode) for layer in row.layers for mode in row.modes)


@dataclass(frozen=True)
class Held:
    """An expectation, what it was held against, and those of its cases that were not asked.

    `ran` is all that ran of its check, also what is ours to answer for.
    """

    expectation: Known
    results: list[Result]
    unasked: list[str]
    ran: list[Result]

    @property
    def stands(self) -> bool:
        """Whether all of it was borne out."""
        told = [one.expectation.outcomes for one in self.results if one.expectation]
        foreseen = {outcome for outcomes in told for outcome in outcomes}
        return {one.outcome for one in self.results} <= foreseen & _RED

    @property
    def left(self) -> list[dict[str, Any]]:
        """What it is to say from now on, an expectation each; other keys stay as they are."""
        # What is None is as the expectation has it: it was held against nothing else.
        told = [
            {k: v for k, v in one.items() if v is not None}
            for one in shapes(self.results, self.ran)
        ]
        if not self.unasked:
            return told
        for shape in told:
            alike = shape["outcomes"] == list(self.expectation.outcomes)
            if alike and shape.keys() == {"outcomes", "during"}:
                shape["during"] = sorted([*shape["during"], *self.unasked])
                return told
        return [*told, {"during": self.unasked}]


@dataclass(frozen=True)
class New:
    """Results of one check that no expectation speaks of, and all that ran of it."""

    results: list[Result]
    ran: list[Result]


def _bring_up_to_date(file: Entries, number: int, held: Held, changes: Changes) -> None:
    """Leave, narrow or remove an expectation, by all results that it was held against."""
    if held.stands:
        return
    block, left = file.blocks[number], held.left
    file.blocks[number : number + 1] = [rewritten(block, told) for told in left]
    (changes.changed if left else changes.removed).append(held.expectation.check)


def _add(file: Entries, new: New, release: str, today: date, changes: Changes) -> None:
    said = next(one.message or one.outcome for one in new.results if one.outcome in _RED)
    told = {
        "reason": f"{NO_REASON_YET}: {line(said, HINT)}",
        "seen_on": release,
        "recheck_by": today + GOOD_FOR,
    }
    for shape in shapes(new.results, new.ran):
        file.blocks.append(written({"check": new.results[0].check, **shape, **told}))
    changes.added.append(new.results[0].check)


def shapes(results: Sequence[Result], all_ran: Sequence[Result]) -> Iterator[dict[str, Any]]:
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
        ran = {(one.layer, one.mode) for one in all_ran if one.case in cases}
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
