"""The page of one cell as Markdown: what was required, what was seen, whose it is."""

from collections.abc import Iterator

from reports.cells import Cell
from reports.curl import curl
from reports.escape import code, fence, plain, prose
from reports.exchange import Exchange
from reports.markdown import seen_on
from reports.marks import MEANING, OUTCOME, mark
from reports.model import Check, Expectation, Result
from reports.transcript import request, response

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
    ]
    parts += _results(cell)
    return "\n\n".join(parts) + "\n"


def _requirement(check: Check) -> str:
    """A quotation with its source, or our own words after it."""
    if check.quoted:
        return f"> {prose(check.requirement)}\n>\n> {plain(check.link)}"
    return f"Required, in our words after {plain(check.link)}: {prose(check.requirement)}"


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
    issue = plain(known.issue) if known.issue else "no issue"
    until = f"{seen_on(known)}to be checked again by {known.recheck_by}"
    foreseen = " or ".join(known.outcomes)
    return f"Known divergence ({foreseen}): {prose(known.reason)} ({issue}, {until})"


def _result(result: Result) -> Iterator[str]:
    yield f"## {_place(result)}: {_sign(result)}"
    if result.message:
        yield fence(result.message)
    if result.owner:
        yield f"Owner: {result.owner}."
    for name, text in (("Expected", result.expected), ("Seen", result.seen)):
        if text is not None:
            yield f"{name}:\n\n{fence(text)}"
    for exchange in result.exchanges[:EXCHANGE_LIMIT]:
        yield _exchange(exchange)
    if len(result.exchanges) > EXCHANGE_LIMIT:
        yield f"{len(result.exchanges) - EXCHANGE_LIMIT} more exchanges are in report.json."
    if result.events:
        told = "\n".join(f"{event.name} {event.data}" for event in result.events)
        yield f"Events of the module:\n\n{fence(told)}"
    if result.log:
        yield f"Log of the server:\n\n{fence(result.log)}"


def _place(result: Result) -> str:
    case = f", {plain(result.case)}" if result.case else ""
    return f"{result.layer}, {result.mode}{case}"


def _sign(result: Result) -> str:
    rate = f" ({result.rate})" if result.rate else ""
    return f"{OUTCOME[result.outcome]} {result.outcome}{rate}"


def _exchange(exchange: Exchange) -> str:
    return "\n\n".join(
        [
            f"Exchange at {exchange.started_ms:.0f} ms, to be repeated with",
            fence(curl(exchange), "sh"),
            fence(request(exchange)),
            fence(response(exchange)),
        ]
    )
