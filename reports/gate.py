"""What a release is held to: pass or not, and each reason (design §2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from reports.cells import Cell, cells, is_expected, is_refuted
from reports.model import Report, Result
from reports.words import Layer, Level, Mode, Outcome, Owner, Verdict

WARNINGS = 10
"""Warnings that are shown where reasons are; `python -m reports gate` says all."""
_UNPROVEN = {Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.UNSUPPORTED, Outcome.NOT_RUN}


@dataclass(frozen=True)
class Reason:
    """Why a gate is red, or warns; `cell` is the page of the cell, if it is about one."""

    kind: str
    message: str
    cell: str | None = None
    owner: Owner | None = None

    def __str__(self) -> str:
        about = f"{self.cell}: " if self.cell else ""
        whose = f" (owner: {self.owner})" if self.owner else ""
        return f"{about}{self.message}{whose}"


@dataclass(frozen=True)
class Gate:
    """The judgement: red if there is any reason."""

    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """Whether there is no reason to stop a release."""
        return not self.reasons

    def __str__(self) -> str:
        warned = _number(len(self.warnings), "warning")
        if self.passed:
            return f"Gate: green, {warned}."
        return f"Gate: red for {_number(len(self.reasons), 'reason')}, {warned}."


def _number(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"


def gate(report: Report, asked: Sequence[str] | None = None) -> Gate:
    """Judge a report; `asked` are the servers that had to run, else those it was asked for.

    Expectations are held against the day of the run, so that a report is always judged alike.
    """
    today = (report.finished or report.started).date()
    reasons = list(_of_the_run(report, report.asked if asked is None else asked))
    warnings: list[Reason] = []
    for cell in cells(report):
        reasons += _of_a_cell(cell, today)
        warnings += _warnings(cell)
    return Gate(tuple(reasons), tuple(warnings))


def _of_the_run(report: Report, asked: Sequence[str]) -> Iterator[Reason]:
    ran = [result for result in report.results if result.outcome is not Outcome.NOT_RUN]
    if not ran:
        yield Reason("nothing ran", "No check ran.", owner=Owner.SUITE)
    for message in report.incomplete:
        yield Reason("incomplete", message, owner=Owner.SUITE)
    there = _there(report, {result.target for result in ran})
    why = {absent.server: absent.reason for absent in report.absent}
    for server in asked:
        if server not in there:
            told = why.get(server, "no result of it is in the report")
            yield Reason("server missing", f"{server} was asked for and did not run: {told}.")


def _there(report: Report, ran: set[str]) -> set[str]:
    """The targets that ran and their products, but for a product that is an absent target's id.

    `llamacpp` beside `llamacpp-b11000` is a target of its own; the other doesn't stand for it.
    """
    products = {target.server for target in report.targets if target.id in ran}
    return ran | (products - {absent.server for absent in report.absent})


def _of_a_cell(cell: Cell, today: date) -> Iterator[Reason]:
    for mode in cell.check.modes:
        judged = cell.verdict_of(mode)
        if judged is Verdict.PROVIDER:
            yield _reason("provider", cell, f"{mode}: our bug, the server's answer was right")
        elif judged is Verdict.ERROR:
            yield _reason("error", cell, f"{mode}: the suite itself failed")
        elif _lacks_proof(cell, mode):
            outcome = cell.outcome(Layer.PROVIDER, mode)
            yield _reason("must", cell, f"{mode}: a MUST not met, {outcome} at the provider layer")
    yield from _flips(cell)
    for result in cell.results:
        yield from _of_an_expectation(cell, result, today)


def _flips(cell: Cell) -> Iterator[Reason]:
    """A MUST that gives now this, now that, unless it is the model that is of two minds."""
    if cell.check.level is not Level.MUST:
        return
    for one in cell.results:
        if one.rate and one.rate.flips and one.owner is not Owner.MODEL:
            message = f"{one.layer}, {one.mode}: a MUST that flips, {one.rate}"
            yield _reason("flips", cell, message)


def _lacks_proof(cell: Cell, mode: Mode) -> bool:
    """Whether a MUST did not pass at the provider layer and no expectation foresees it."""
    if cell.check.level is not Level.MUST:
        return False
    red = [one for one in cell.at(Layer.PROVIDER, mode) if one.outcome in _UNPROVEN]
    unforeseen = [result for result in red if not is_expected(result)]
    # An invariant watches what is asked; where nothing was, nothing of it is missing.
    watches = any(result.case for result in cell.results)
    nothing = cell.outcome(Layer.PROVIDER, mode) is Outcome.NOT_RUN and not red
    return bool(unforeseen) or (nothing and not watches)


def _of_an_expectation(cell: Cell, result: Result, today: date) -> Iterator[Reason]:
    expectation = result.expectation
    if expectation is None:
        return
    place = f"{result.layer}, {result.mode}"
    if is_refuted(result):
        foreseen = " or ".join(expectation.outcomes)
        message = f"{place}: {foreseen} was expected, seen was {result.outcome}"
        yield _reason("expectation unmet", cell, message, Owner.SUITE)
    if expectation.recheck_by and today > expectation.recheck_by:
        message = f"{place}: the expectation was to be checked by {expectation.recheck_by}"
        yield _reason("expectation overdue", cell, message, Owner.SUITE)


def _warnings(cell: Cell) -> Iterator[Reason]:
    """A SHOULD that does not work, and a MUST that only the server itself fails."""
    red = cell.verdict not in {Verdict.WORKS, Verdict.PROVIDER, Verdict.ERROR}
    if not red or cell.expected or cell.check.level is Level.MAY:
        return
    if cell.check.level is Level.SHOULD or cell.verdict is Verdict.BRIDGED:
        yield _reason("warning", cell, f"a {cell.check.level}, {cell.verdict}")
    elif Layer.PROVIDER not in cell.check.layers:
        yield _reason("warning", cell, f"a MUST, {cell.verdict} on the wire")


def _reason(kind: str, cell: Cell, message: str, owner: Owner | None = None) -> Reason:
    return Reason(kind, message, cell.page, owner or cell.owner)
