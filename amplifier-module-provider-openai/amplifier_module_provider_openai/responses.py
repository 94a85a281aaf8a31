"""Responses: one request, whole, streamed or in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import openai

from ._constants import (
    BACKGROUND_POLLING_STATUSES,
    RESPONSE_CHAIN_INVALIDATED,
    RESPONSE_NOT_FOUND_ERROR_CODES,
)
from .broken import BrokenAnswerError, FailedAnswerError, no_event_stream
from .history import read_field
from .native import body_of, status_of
from .outbox import Tell
from .parsing import NotJSONError, parse_object
from .patience import Patience, first_heard, is_of_connection
from .reply import read_rate_limits
from .sse import EventReader
from .stream_events import BlockEvents, BlockType

_BLOCK_TYPES: dict[str, BlockType] = {
    "message": "text",
    "reasoning": "thinking",
    "function_call": "tool_use",
    "apply_patch_call": "tool_use",
}
_DELTAS: dict[str, BlockType] = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "text",
    "response.reasoning_summary_text.delta": "thinking",
    "response.reasoning_text.delta": "thinking",
}
_POLLS_THAT_MAY_FAIL = 5
_ENDINGS = frozenset({"response.completed", "response.incomplete", "response.failed"})


@dataclass(slots=True)
class Exchange:
    """Everything one request needs; `tell` emits an event.

    `unlinked_input` makes the input anew if OpenAI has lost the answer to go on from. The SDK
    reads streams as strictly as OpenAI sends them, which shows whether a server speaks
    Responses. `lenient` reads what there is: for one that has to be spoken to so.
    """

    provider: str
    client: Any
    params: dict[str, Any]
    events: BlockEvents
    tell: Tell
    opened: Callable[[], None]
    without_secrets: Callable[[str], str]
    unlinked_input: Callable[[], list[dict[str, Any]]]
    stream: bool
    idle_timeout: float
    lenient: bool = False


async def ask(exchange: Exchange) -> tuple[Any, dict[str, int | str]]:
    """The finished response object and the rate limits.

    A stored answer that OpenAI no longer has is left out and the request made once more.
    Raises the SDK's errors, transport errors, BrokenAnswerError and kernel errors.
    """
    try:
        return await _ask_once(exchange)
    except openai.APIStatusError as error:
        code = _lost_chain(error)
        if code is None or "previous_response_id" not in exchange.params:
            raise
        await _drop_chain(exchange, code)
    return await _ask_once(exchange)


async def _ask_once(exchange: Exchange) -> tuple[Any, dict[str, int | str]]:
    if exchange.stream:
        reading = await _read(exchange)
        return checked(reading.ending), read_rate_limits(reading.headers)
    response = checked(await exchange.client.responses.create(**exchange.params))
    exchange.opened()
    return response, {}


def checked(response: Any) -> Any:
    """Raises BrokenAnswerError for a page, another protocol's answer, or a failed response."""
    error = _plain(read_field(response, "error"))
    if isinstance(response, str | bytes) or not _has_output(response):
        what = f"the answer is not of the Responses API: {str(response)[:300]}"
        raise BrokenAnswerError(what, body=error)
    status = read_field(response, "status")
    if status in {"failed", "cancelled"}:
        what = f"the server reports that the response is {status}"
        raise FailedAnswerError(what, body=error or {"message": what, "code": status})
    return response


def _plain(error: Any) -> Any:
    return error.model_dump() if hasattr(error, "model_dump") else error


def _has_output(response: Any) -> bool:
    return read_field(response, "output") is not None


@dataclass(slots=True)
class _Reading:
    """One stream while it is read; `ending` is the response that its last event brought."""

    exchange: Exchange
    patience: Patience
    ending: Any = None
    headers: Any = None
    begun: bool = False

    async def take(self, event: Any) -> None:
        self.patience.heard = self.begun = True
        ending = await _take(event, self.exchange)
        if ending is not None:
            self.ending = ending
            self.patience.end_soon()


async def _read(exchange: Exchange) -> _Reading:
    """The stream read to its end; what breaks after the response is complete does no harm."""
    reading = _Reading(exchange, Patience(exchange.idle_timeout))
    read = _read_leniently if exchange.lenient else _read_strictly
    try:
        async with reading.patience:
            await read(reading)
    except Exception as error:
        if reading.ending is None or not is_of_connection(error):
            raise
    await exchange.events.flush()
    return reading


async def _read_strictly(reading: _Reading) -> None:
    exchange = reading.exchange
    async with exchange.client.responses.stream(**exchange.params) as stream:
        reading.headers = getattr(getattr(stream, "_response", None), "headers", None)
        if hasattr(stream, "__aiter__"):
            async for event in stream:
                await reading.take(event)
        # The SDK gives completed responses; an incomplete one is in its last event.
        if getattr(reading.ending, "status", "completed") == "completed":
            reading.ending = await stream.get_final_response()


async def _read_leniently(reading: _Reading) -> None:
    exchange = reading.exchange
    async with exchange.client.responses.with_streaming_response.create(
        **exchange.params, stream=True
    ) as response:
        reading.headers, pieces = response.headers, aiter(response.iter_bytes())
        received = await first_heard(pieces, reading.patience)
        if received.lstrip().startswith(b"{"):
            await _take_whole(received + b"".join([piece async for piece in pieces]), reading)
        else:
            await _take_events(received, pieces, reading)
    if not reading.begun:
        raise no_event_stream(received)
    if reading.ending is None:
        raise BrokenAnswerError("the stream ended before the response did", truncated=True)


async def _take_events(received: bytes, pieces: AsyncIterator[bytes], reading: _Reading) -> None:
    events, places = EventReader(), _Places()
    while received:
        reading.patience.heard = True
        for data in filter(_says_something, events.feed(received)):
            await reading.take(places.fill(parse_object(data)))
        received = await anext(pieces, b"")
    with suppress(NotJSONError):  # a cut, which the missing end tells better
        for data in filter(_says_something, events.close()):
            await reading.take(places.fill(parse_object(data)))


async def _take_whole(body: bytes, reading: _Reading) -> None:
    """The answer of a server that does not stream: what it says is shown all the same."""
    response = checked(parse_object(body))
    for index, item in enumerate(read_field(response, "output")):
        told = {"output_index": index, "item": item}
        await reading.take({"type": "response.output_item.added", **told})
        for text in texts_of(item):
            await reading.take({"type": "response.output_text.delta", "delta": text, **told})
        await reading.take({"type": "response.output_item.done", **told})
    await reading.take({"type": "response.completed", "response": response})


def texts_of(item: Any) -> list[str]:
    """The texts of a message in an answer's output; of anything else none."""
    content = read_field(item, "content") if read_field(item, "type") == "message" else None
    parts = content if isinstance(content, list) else []
    return [text for part in parts if (text := read_field(part, "text"))]


class _Places:
    """Where an item stands, for servers that don't say (llama.cpp b11549): counted by id."""

    def __init__(self) -> None:
        self._known: dict[str | None, int] = {}
        self._newest = -1

    def fill(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event with an `output_index`: of the item it is about, else of the newest."""
        if event.get("output_index") is None:
            event["output_index"] = self._place_of(event)
        return event

    def _place_of(self, event: dict[str, Any]) -> int:
        item_id = event.get("item_id") or read_field(event.get("item"), "id")
        if event.get("type") == "response.output_item.added":
            self._newest += 1
            self._known[item_id] = self._known[None] = self._newest
        return self._known.get(item_id, max(self._newest, 0))


def _says_something(data: bytes) -> bool:
    return bool(data) and not data.startswith(b"[DONE]")


async def _take(event: Any, exchange: Exchange) -> Any:
    """Note what an event tells; returns the response that it ends with, if it does."""
    kind, blocks = read_field(event, "type"), exchange.events
    index, item = read_field(event, "output_index"), read_field(event, "item")
    if index is None and kind == "response.output_item.added":
        # The SDK would stumble over it as well, but only after something has been shown.
        raise BrokenAnswerError("its events have no output_index")
    exchange.opened()
    if kind == "error":
        raise FailedAnswerError("the server reports an error", body=_error_body(event))
    if kind in _DELTAS:
        blocks.delta(index or 0, _DELTAS[kind], read_field(event, "delta"))
    elif kind == "response.output_item.added":
        blocks.start(index or 0, _block_type(item), read_field(item, "name"))
    elif kind == "response.output_item.done":
        blocks.end(index or 0, _block_type(item))
    await blocks.show()
    return read_field(event, "response") if kind in _ENDINGS else None


def _block_type(item: Any) -> BlockType:
    return _BLOCK_TYPES.get(read_field(item, "type"), "text")


def _error_body(event: Any) -> dict[str, Any]:
    return {
        "message": read_field(event, "message"),
        "code": read_field(event, "code"),
        "type": read_field(event, "type"),
    }


def _lost_chain(error: openai.APIStatusError) -> str | None:
    """The code with which OpenAI says that it has no such previous response."""
    body = body_of(error)
    code = body.get("code") if isinstance(body, dict) else None
    if code in RESPONSE_NOT_FOUND_ERROR_CODES:
        return str(code)
    named = "previous_response_id" in f"{body}{error}"
    return str(code or "previous_response_id") if named and status_of(error) == 404 else None


async def _drop_chain(exchange: Exchange, code: str) -> None:
    lost = exchange.params.pop("previous_response_id")
    exchange.params["input"] = exchange.unlinked_input()
    payload = {
        "provider": exchange.provider,
        "model": exchange.params["model"],
        "invalidated_id": lost,
        "error_code": code,
    }
    await exchange.tell(RESPONSE_CHAIN_INVALIDATED, lambda: payload)


async def _retrieved(
    exchange: Exchange, response: Any, *, sleep: Callable[[], Awaitable[None]]
) -> Any:
    """The response as it is now. A new attempt would pay for it anew, so a failure is borne."""
    for _ in range(_POLLS_THAT_MAY_FAIL):
        try:
            return await exchange.client.responses.retrieve(response.id)
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError):
            await sleep()
    return await exchange.client.responses.retrieve(response.id)


async def poll(
    exchange: Exchange,
    response: Any,
    *,
    interval: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Any:
    """Wait until a background response is finished, asking every `interval` seconds."""
    begun, polls = asyncio.get_running_loop().time(), 0
    while getattr(response, "status", None) in BACKGROUND_POLLING_STATUSES:
        await sleep(interval)
        response = await _retrieved(exchange, response, sleep=partial(sleep, interval))
        polls += 1
        elapsed = asyncio.get_running_loop().time() - begun
        await _tell_status(exchange, response, polls, elapsed)
    return checked(response)


async def _tell_status(exchange: Exchange, response: Any, polls: int, elapsed: float) -> None:
    payload = {
        "provider": exchange.provider,
        "response_id": response.id,
        "status": response.status,
        "poll_count": polls,
        "elapsed_ms": int(elapsed * 1000),
    }
    await exchange.tell("provider:background_status", lambda: payload)
