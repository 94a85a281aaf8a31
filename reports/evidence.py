"""The page of one cell as Markdown: what was required, what was seen, whose it is."""

from collections.abc import Iterator

from reports.cells import Cell
from reports.curl import curl_on_page
from reports.difference import difference
from reports.escape import code, fence, link, plain, prose
from reports.exchange import Exchange
from reports.markdown import seen_on, to_be_checked
from reports.marks import MEANING, OUTCOME, mark
from reports.model import Check, Expectation, Result
from reports.transcript import request, response
from reports.words import Outcome

EXCHANGE_LIMIT = 20
"""Exchanges of one result that a page shows."""
PAGE_LIMIT = 1_000_000
"""Characters of evidence on one page."""


def evidence(cell: Cell) -> str:
    """Everything known about one check on one target."""
    check = cell.check
    parts = [
        f"# {plain(check.id)} on {plain(cell.target.title)} {code(cell.target.version)}",
        f"**{mark(cell)}**: {MEANING[cell.verdict]}. Owner: {cell.owner or 'nobody'}.",
        f"{check.level}: {prose(check.title)}",
        _requirement(check),
        f"Why: {prose(check.why)}",
        *(f"{whose}: {prose(text)}" for whose, text in check.remedies.items()),
        *(_expectation(one) for one in cell.expectations),
        *(_outlived(one) for one in cell.outlived),
    ]
    parts += _results(cell)
    return "\n\n".join(parts) + "\n"


def _requirement(check: Check) -> str:
    """A quotation with its source, or our own words after it."""
    if check.quoted:
        return f"> {prose(check.requirement)}\n>\n> {link(check.link)}"
    return f"Required, in our words after {link(check.link)}: {prose(check.requirement)}"


def _results(cell: Cell) -> Iterator[str]:
    """Each result with something to tell, as many as fit; then the others in a list."""
    room = PAGE_LIMIT
    for result in cell.in_order:
        for part in () if result.bare or room < 0 else _result(result):
            room -= len(part)
            yield part
    if room < 0:
        yield "There is more evidence than a page can hold; the rest is in report.json."
    if bare := [result for result in cell.in_order if result.bare]:
        listed = "\n".join(f"- {_place(result)}: {_sign(result)}" for result in bare)
        yield f"## Nothing more to tell\n\n{listed}"


def _expectation(known: Expectation) -> str:
    issue = link(known.issue) if known.issue else "no issue"
    until = f"{seen_on(known)}{to_be_checked(known)}"
    foreseen = " or ".join(known.outcomes)
    return f"Known divergence ({foreseen}): {prose(known.reason)} ({issue}, {until})"


def _outlived(known: Expectation) -> str:
    issue = link(known.issue) if known.issue else "no issue"
    versions = f", on {plain(known.versions)}" if known.versions else ""
    return f"Expected, and no longer seen: {prose(known.reason)} ({issue}{versions})"


def _result(result: Result) -> Iterator[str]:
    yield f"## {_place(result)}: {_sign(result)}"
    if result.message:
        yield fence(result.message)
    if result.owner:
        yield f"Owner: {result.owner}."
    yield from _compared(result)
    yield from _exchanges(result)
    if result.events:
        told = "\n".join(f"{event.name} {event.data}" for event in result.events)
        yield f"Events of the module:\n\n{fence(told)}"
    if result.log:
        yield f"Log of the server:\n\n{fence(result.log)}"


def _compared(result: Result) -> Iterator[str]:
    """What was expected and what came, as the difference where both are known."""
    if result.expected is not None and result.seen is not None:
        yield f"Expected (-) and seen (+):\n\n{fence(_diff(result.expected, result.seen), 'diff')}"
        return
    for name, text in (("Expected", result.expected), ("Seen", result.seen)):
        if text is not None:
            yield f"{name}:\n\n{fence(text)}"


def _diff(expected: str, seen: str) -> str:
    lines = difference(expected, seen)
    return "\n".join(f"{sign}{line}" for sign, line in lines)


def _exchanges(result: Result) -> Iterator[str]:
    """The first ones and, of a result that is no pass, the last, at which the check ended."""
    many = result.exchanges
    shown = many[:EXCHANGE_LIMIT]
    if result.outcome is not Outcome.PASS and len(many) > EXCHANGE_LIMIT:
        shown = (*many[: EXCHANGE_LIMIT - 1], many[-1])
    for exchange in shown:
        ended_here = exchange is many[-1] and result.outcome is not Outcome.PASS
        yield _exchange(exchange, ", the last one before the check ended" if ended_here else "")
    if len(many) > EXCHANGE_LIMIT:
        yield f"{len(many) - EXCHANGE_LIMIT} more exchanges are in report.json."


def _place(result: Result) -> str:
    case = f", {plain(result.case)}" if result.case else ""
    return f"{result.layer}, {result.mode}{case}"


def _sign(result: Result) -> str:
    rate = f" ({result.rate})" if result.rate else ""
    return f"{OUTCOME[result.outcome]} {result.outcome}{rate}"


def _exchange(exchange: Exchange, which: str) -> str:
    return "\n\n".join(
        [
            f"Exchange at {exchange.started_ms:.0f} ms{which}, to be repeated with",
            fence(curl_on_page(exchange), "sh"),
            fence(request(exchange)),
            fence(response(exchange)),
        ]
    )
