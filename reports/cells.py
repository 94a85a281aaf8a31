"""A report as its table: one cell for each check on each target."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from reports.model import Check, Expectation, Report, Result, Target
from reports.verdict import owner, verdict, worst_outcome, worst_verdict
from reports.words import Layer, Mode, Outcome, Owner, Verdict

_Place = TypeVar("_Place")


@dataclass(frozen=True)
class Cell:
    """One check on one target with all its results; what has no result was not run."""

    target: Target
    check: Check
    results: tuple[Result, ...]

    @property
    def page(self) -> str:
        """Where its evidence is, below the report's folder and without a suffix."""
        return f"{self.target.id}/{self.check.id}"

    def at(self, layer: Layer, mode: Mode) -> Sequence[Result]:
        """The results of one layer and mode."""
        return self._by_place.get((layer, mode), ())

    @cached_property
    def _by_place(self) -> Mapping[tuple[Layer, Mode], list[Result]]:
        return _grouped(self.results, lambda one: (one.layer, one.mode))

    @cached_property
    def _by_case(self) -> Mapping[tuple[Mode, str | None], list[Result]]:
        return _grouped(self.results, lambda one: (one.mode, one.case))

    def outcome(self, layer: Layer, mode: Mode) -> Outcome | None:
        """The worst outcome of one layer and mode; None where the check has none."""
        if layer not in self.check.layers or mode not in self.check.modes:
            return None
        return worst_outcome(result.outcome for result in self.at(layer, mode))

    def layer(self, layer: Layer) -> Outcome | None:
        """The worst outcome of one layer over its modes; None where the check lacks the layer."""
        outcomes = [self.outcome(layer, mode) for mode in self.check.modes]
        found = [outcome for outcome in outcomes if outcome]
        return worst_outcome(found) if found else None

    def verdict_of(self, mode: Mode) -> Verdict:
        """What both layers say together in one mode."""
        return self._verdicts[mode]

    @cached_property
    def _verdicts(self) -> dict[Mode, Verdict]:
        return {mode: worst_verdict(self._verdicts_of(mode)) for mode in Mode}

    def _verdicts_of(self, mode: Mode) -> Iterator[Verdict]:
        """One verdict for each case: what fails in one says nothing of what fails in another."""
        own = [results for (of, _), results in self._by_case.items() if of is mode]
        for results in own or [[]]:
            wire, provider = (self._of_case(layer, mode, results) for layer in Layer)
            yield verdict(wire, provider, set_up=_is_set_up(results))

    def _of_case(self, layer: Layer, mode: Mode, results: Iterable[Result]) -> Outcome | None:
        """The worst outcome of a case; None where only the other layer has it."""
        own = [one.outcome for one in results if one.layer is layer]
        return self.outcome(layer, mode) if not self.at(layer, mode) else _worst(own)

    @cached_property
    def verdict(self) -> Verdict:
        """The worst verdict over the check's modes."""
        return worst_verdict(self.verdict_of(mode) for mode in self.check.modes)

    @cached_property
    def owner(self) -> Owner | None:
        """Whose the verdict is; None where it works, and where nobody can tell."""
        red = [
            one
            for one in self.results
            if self.verdict_of(one.mode) is self.verdict and one.outcome is not Outcome.PASS
        ]
        wire, provider = ([one.owner for one in red if one.layer is layer] for layer in Layer)
        unclear = any(one.outcome is Outcome.INCONCLUSIVE for one in red)
        return owner(self.verdict, wire, provider, unclear=unclear)

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """The known divergences that its results bear out, each once."""
        return _each_once(result for result in self.results if is_expected(result))

    @property
    def outlived(self) -> tuple[Expectation, ...]:
        """The known divergences that its results do not bear out, each once."""
        return _each_once(result for result in self.results if is_refuted(result))

    @property
    def expected(self) -> bool:
        """Whether each result that did not pass was foreseen; our own faults never are."""
        if self.verdict in {Verdict.PROVIDER, Verdict.ERROR}:
            return False
        red = [result for result in self.results if result.outcome is not Outcome.PASS]
        return bool(red) and self.complete and all(is_expected(result) for result in red)

    @property
    def complete(self) -> bool:
        """Whether every layer and mode of the check has a result."""
        places = {(result.layer, result.mode) for result in self.results}
        return all((layer, mode) in places for layer, mode in self.places)

    @property
    def in_order(self) -> tuple[Result, ...]:
        """The results, red ones first, then wire before provider and whole before stream."""
        placed = (result for place in self.places for result in self.at(*place))
        return tuple(sorted(placed, key=lambda result: result.outcome is Outcome.PASS))

    @property
    def places(self) -> Iterator[tuple[Layer, Mode]]:
        """The layers and modes that the check has."""
        return ((layer, mode) for layer in self.check.layers for mode in self.check.modes)


def _grouped(
    results: Iterable[Result], place: Callable[[Result], _Place]
) -> Mapping[_Place, list[Result]]:
    found: dict[_Place, list[Result]] = {}
    for result in results:
        found.setdefault(place(result), []).append(result)
    return found


def _is_set_up(results: Iterable[Result]) -> bool:
    """Whether all that failed through the module is the set-up's, with evidence."""
    asked = (one for one in results if one.layer is Layer.PROVIDER)
    red = [one for one in asked if one.outcome is Outcome.FAIL]
    return bool(red) and all(one.owner is Owner.SET_UP for one in red)


def _worst(outcomes: list[Outcome]) -> Outcome | None:
    return worst_outcome(outcomes) if outcomes else None


def is_expected(result: Result) -> bool:
    """Whether an expectation foresees the outcome; errors are never expected."""
    return (
        result.expectation is not None
        and result.outcome is not Outcome.ERROR
        and result.outcome in result.expectation.outcomes
    )


def is_refuted(result: Result) -> bool:
    """Whether the outcome is another than an expectation foresees; an error says nothing of it."""
    known = result.expectation
    silent = {Outcome.NOT_RUN, Outcome.ERROR}
    return known is not None and result.outcome not in {*known.outcomes, *silent}


def _each_once(results: Iterable[Result]) -> tuple[Expectation, ...]:
    return tuple(dict.fromkeys(one.expectation for one in results if one.expectation))


def rows(report: Report) -> list[tuple[Check, list[Cell]]]:
    """The table of a report: each check with a cell for each target."""
    found: Mapping[tuple[str, str], list[Result]] = defaultdict(list)
    for result in report.results:
        found[result.target, result.check].append(result)
    return [
        (check, [Cell(one, check, tuple(found[one.id, check.id])) for one in report.targets])
        for check in report.checks
    ]


def cells(report: Report) -> list[Cell]:
    """All cells of a report, check by check."""
    return [cell for _, row in rows(report) for cell in row]
