"""What must hold for every exchange on the wire, whatever was asked: each under an id of its own.

Source: OpenAI's openapi 2.3.0, RFC 9110; the ids' rows are in catalogue/invariants.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from conformance.completion import Chunk, ErrorBody
from conformance.conversation import parsed
from conformance.sse import all_events, whole_stream
from reports import Exchange

_NOT_IMPLEMENTED = 501

Holds: TypeAlias = Callable[[Exchange], None]
Applies: TypeAlias = Callable[[Exchange], bool]


@dataclass(frozen=True)
class ExchangeInvariant:
    """A check of each exchange that it applies to: `holds` raises an `AssertionError`."""

    check: str
    applies: Applies
    holds: Holds

    def judge(self, exchanges: Iterable[Exchange]) -> AssertionError | None:
        """The first fault, or None."""
        for exchange in exchanges:
            try:
                self.holds(exchange)
            except AssertionError as fault:
                return fault
        return None


EXCHANGE_INVARIANTS: list[ExchangeInvariant] = []


def invariant(check: str, applies: Applies) -> Callable[[Holds], Holds]:
    """Make a function the invariant `check` of the catalogue."""

    def register(holds: Holds) -> Holds:
        EXCHANGE_INVARIANTS.append(ExchangeInvariant(check, applies, holds))
        return holds

    return register


def judged_exchanges(
    exchanges: Iterable[Exchange],
) -> Iterator[tuple[str, AssertionError | None]]:
    """Each invariant that applies to one of the exchanges, with the first fault or None."""
    seen = list(exchanges)
    for one in EXCHANGE_INVARIANTS:
        concerned = [exchange for exchange in seen if one.applies(exchange)]
        if concerned:
            yield one.check, one.judge(concerned)


def _header(exchange: Exchange, name: str) -> str:
    values = (value for key, value in exchange.response_headers if key.lower() == name)
    return next(values, "").lower()


def _is_stream(exchange: Exchange) -> bool:
    return exchange.status == 200 and "event-stream" in _header(exchange, "content-type")


def _was_awaited(exchange: Exchange) -> bool:
    """Whether the server had its say: what a client did not wait for is not judged."""
    return exchange.ended != "timeout"


def _is_over(exchange: Exchange) -> bool:
    """Whether all that came was kept as well: what is cut can't be read."""
    return _was_awaited(exchange) and not exchange.response_body.cut


def _is_finished_stream(exchange: Exchange) -> bool:
    return _is_stream(exchange) and _is_over(exchange) and "/chat/" in exchange.url


def _is_error(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 400 and _is_over(exchange)


def _has_status(exchange: Exchange) -> bool:
    return exchange.status is not None and _was_awaited(exchange)


def _has_body(exchange: Exchange) -> bool:
    return _has_status(exchange) and _is_over(exchange) and bool(exchange.response_body.raw)


@invariant("invariants.answered", _was_awaited)
def answered(exchange: Exchange) -> None:
    """Each request gets a response, and the whole of what its headers promise."""
    assert exchange.status is not None, f"no response at all: the connection was {exchange.ended}"
    assert exchange.ended == "complete", f"HTTP {exchange.status}, then {exchange.ended}"


@invariant("invariants.stream-ends", _is_finished_stream)
def stream_ends(exchange: Exchange) -> None:
    """A stream ends with a finish reason for each choice and `[DONE]`, or tells an error."""
    told = all_events(exchange.response_body.raw)
    if any('"error"' in event and '"choices"' not in event for event in told):
        return
    events = whole_stream(exchange.response_body.raw)
    choices = [choice for event in events for choice in Chunk.read(event).choices]
    begun = {choice.index for choice in choices}
    ended = {choice.index for choice in choices if choice.finish_reason}
    assert begun, "a stream without a choice"
    assert ended == begun, f"choices {begun} began, and {ended} have a finish reason"


@invariant("invariants.errors-told", _is_error)
def errors_told(exchange: Exchange) -> None:
    """An error status comes with JSON that says in words what is wrong."""
    ErrorBody.read(exchange.response_body.raw.decode(errors="replace"))


@invariant("invariants.no-server-error", _has_status)
def no_server_error(exchange: Exchange) -> None:
    """Nothing that a client sends makes the server fail; 501 says what it has not got."""
    assert exchange.status is not None
    body = exchange.response_body.text[:300]
    assert exchange.status < 500 or exchange.status == _NOT_IMPLEMENTED, (
        f"HTTP {exchange.status}: {body}"
    )


@invariant("invariants.headers-true", _has_body)
def headers_true(exchange: Exchange) -> None:
    """A body that is said to be JSON is JSON."""
    if "application/json" in _header(exchange, "content-type"):
        parsed(exchange.response_body.raw.decode(errors="replace"), "said to be JSON")
