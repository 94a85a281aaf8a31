"""Askers on the wire whose server's answers are known."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import repeat
from typing import Any

import httpx

from conformance.wire import WireAsker
from reports import Mode

ERROR = b'{"error": {"message": "no"}}'
STREAM = {"Content-Type": "text/event-stream"}


def completion(text: str, **message: Any) -> bytes:
    """A whole answer."""
    said = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "finish_reason": "stop", "message": said}
    body = {"id": "a", "object": "chat.completion", "model": "tiny", "choices": [choice]}
    return json.dumps(body).encode()


def stream(*events: Any) -> bytes:
    """A stream of these events, with what ends it."""
    told = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return f"{told}data: [DONE]\n\n".encode()


def answering(
    status: int, body: bytes, headers: dict[str, str] | None = None, mode: Mode = Mode.WHOLE
) -> AbstractAsyncContextManager[WireAsker]:
    """An asker that gets this answer to everything; status 0 is a connection that breaks."""
    return _asking(repeat((status, body)), headers, mode)


def answering_in_turn(
    *answers: tuple[int, bytes],
) -> AbstractAsyncContextManager[WireAsker]:
    """An asker that gets one answer after another."""
    return _asking(iter(answers), None, Mode.WHOLE)


@asynccontextmanager
async def _asking(
    answers: Iterator[tuple[int, bytes]], headers: dict[str, str] | None, mode: Mode
) -> AsyncIterator[WireAsker]:
    def answer(request: httpx.Request) -> httpx.Response:
        status, body = next(answers)
        if not status:
            raise httpx.ReadError("", request=request)
        return httpx.Response(status, content=body, headers=headers)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(base_url="http://tiny/v1/", transport=transport) as client:
        yield WireAsker(client, "tiny", mode)
