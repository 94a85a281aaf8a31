"""Chat Completions: one request, whole or streamed.

The body is read as bytes through the SDK's client, which brings its errors and
connection pool; the SDK's own chunk models are built anew for every token and
cost more than all else together.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from openai import APIStatusError, AsyncOpenAI

from .broken import BrokenAnswerError, excerpt
from .chat_answer import chat_response, raw_completion
from .chat_chunks import ChunkStream, feed
from .chat_stream import Assembly
from .parsing import parse_object
from .patience import Patience, first_heard, is_of_connection
from .reply import Reply, read_rate_limits
from .stream_events import BlockEvents

if TYPE_CHECKING:
    from openai._response import AsyncAPIResponse

# Base URLs whose server refuses `stream_options`.
_without_stream_options: set[str] = set()


async def ask(
    client: AsyncOpenAI,
    params: dict[str, Any],
    *,
    stream: bool,
    events: BlockEvents,
    idle_timeout: float,
    opened: Callable[[], None],
) -> Reply:
    """One chat completion; `opened` is called when the server proves to speak the protocol.

    Raises the SDK's errors, transport errors, BrokenAnswerError and kernel errors.
    """
    if not stream:
        return await _ask_whole(client, params, events, opened)
    base_url = str(client.base_url)
    if base_url not in _without_stream_options:
        counted = {"stream_options": {"include_usage": True}, **params}
        try:
            return await _ask_streamed(client, counted, events, idle_timeout, opened)
        except APIStatusError as error:
            if error.status_code not in {400, 422} or "stream_options" not in str(error.body):
                raise
            _without_stream_options.add(base_url)
    return await _ask_streamed(client, params, events, idle_timeout, opened)


async def _ask_whole(
    client: AsyncOpenAI, params: dict[str, Any], events: BlockEvents, opened: Callable[[], None]
) -> Reply:
    async with _request(client, params) as response:
        return _whole(await response.read(), response.headers, events, opened)


def _whole(
    body: bytes,
    headers: Mapping[str, str],
    events: BlockEvents,
    opened: Callable[[], None],
) -> Reply:
    completion = parse_object(body)
    if not completion.get("choices"):
        raise BrokenAnswerError(f"the answer has no choices: {excerpt(body)}")
    opened()
    assembly = Assembly(events)
    feed(assembly, completion)
    if not assembly.any_delta:
        raise BrokenAnswerError(f"the answer has no message: {excerpt(body)}")
    assembly.close()
    return Reply(
        chat_response(assembly, streamed=False),
        assembly.model,
        raw=lambda: completion,
        rate_limits=read_rate_limits(headers),
    )


async def _ask_streamed(
    client: AsyncOpenAI,
    params: dict[str, Any],
    events: BlockEvents,
    idle_timeout: float,
    opened: Callable[[], None],
) -> Reply:
    stream, whole = ChunkStream(Assembly(events), opened), b""
    try:
        async with (
            Patience(idle_timeout) as patience,
            _request(client, {**params, "stream": True}) as response,
        ):
            headers = response.headers
            whole = await _read(response, stream, patience, events)
    except Exception as error:
        if not (stream.is_finished and is_of_connection(error)):
            raise
    if whole:
        return _whole(whole, headers, events, opened)
    reply = _streamed_reply(stream, headers)
    await events.flush()
    return reply


async def _read(
    response: AsyncAPIResponse[Any], stream: ChunkStream, patience: Patience, events: BlockEvents
) -> bytes:
    """Feed the stream; returns the body of a server that answers with one object instead."""
    pieces = aiter(_body(response))
    received = await first_heard(pieces, patience)
    if received.lstrip().startswith(b"{"):
        return received + b"".join([piece async for piece in pieces])
    stream.take(received)
    await _show_beginning(pieces, stream, patience, events)
    if stream.done:
        patience.end_soon()
    async for received in pieces:
        stream.take(received)
        patience.heard = True
        if stream.done:
            patience.end_soon()
    return b""


async def _show_beginning(
    pieces: AsyncIterator[bytes], stream: ChunkStream, patience: Patience, events: BlockEvents
) -> None:
    """Feed until there is something to show, and have it shown before reading on.

    What is there already is read without a pause, in which hooks would get their turn.
    """
    while not (events.begun or stream.done):
        received = await anext(pieces, b"")
        if not received:
            return
        stream.take(received)
        patience.heard = True
    await events.show()
    patience.heard = True


def _streamed_reply(stream: ChunkStream, headers: Mapping[str, str]) -> Reply:
    stream.close()
    response = chat_response(stream.assembly, streamed=True)
    raw = partial(raw_completion, stream.assembly, response)
    return Reply(response, stream.assembly.model, raw=raw, rate_limits=read_rate_limits(headers))


def _request(
    client: AsyncOpenAI, params: dict[str, Any]
) -> AbstractAsyncContextManager[AsyncAPIResponse[Any]]:
    """The request under way, its answer unread.

    All goes as `extra_body`, which the SDK sends as it is; it would walk through every
    message otherwise, and refuse keys that it doesn't know.
    """
    return client.chat.completions.with_streaming_response.create(
        model=params["model"], messages=[], extra_body=params
    )


def _body(response: AsyncAPIResponse[Any]) -> AsyncIterable[bytes]:
    """The body in pieces as they come; without its layers of decoding where nothing is encoded."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return response.iter_bytes()
    return cast("AsyncIterable[bytes]", response.http_response.stream)
