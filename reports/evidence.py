"""The page of one cell as Markdown: what was required, what was seen, whose it is."""

from collections.abc import Iterator

from reports.cells import Cell
from reports.curl import curl
from reports.escape import code, fence, plain
from reports.exchange import Exchange
from reports.marks import MEANING, OUTCOME, mark
from reports.model import Expectation, Result
from reports.transcript import request, response

EXCHANGE_LIMIT = 20
"""Exchanges of one result that a page shows."""


def evidence(cell: Cell) -> str:
    """Everything known about one check on one target."""
    check = cell.check
    parts = [
        f"# {plain(check.id)} on {plain(cell.target.title)} {code(cell.target.version)}",
        f"**{mark(cell)}**: {MEANING[cell.verdict]}. Owner: {cell.owner or 'nobody'}.",
        f"{check.level}: {plain(check.title)}",
        f"> {plain(check.requirement)}\n>\n> {plain(check.link)}",
        f"Why: {plain(check.why)}",
        f"Remedy: {plain(check.remedy)}",
        *(_expectation(one) for one in cell.expectations),
    ]
    for result in cell.in_order:
        parts += _result(result)
    return "\n\n".join(parts) + "\n"


def _expectation(known: Expectation) -> str:
    issue = plain(known.issue) if known.issue else "no issue"
    until = f"to be checked again by {known.recheck_by}"
    foreseen = " or ".join(known.outcomes)
    return f"Known divergence ({foreseen}): {plain(known.reason)} ({issue}, {until})"


def _result(result: Result) -> Iterator[str]:
    case = f", {plain(result.case)}" if result.case else ""
    sign = f"{OUTCOME[result.outcome]} {result.outcome}"
    yield f"## {result.layer}, {result.mode}{case}: {sign}"
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


def _exchange(exchange: Exchange) -> str:
    return "\n\n".join(
        [
            f"Exchange at {exchange.started_ms:.0f} ms, to be repeated with",
            fence(curl(exchange), "sh"),
            fence(request(exchange)),
            fence(response(exchange)),
        ]
    )
