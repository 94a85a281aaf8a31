"""Bytes of an answer → the JSON objects in it, or a clear word on what came instead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jiter

from .broken import BrokenAnswerError, excerpt
from .chat_stream import Assembly
from .sse import EventReader

_DONE = b"[DONE]"
_KEPT_BYTES = 2000


class _HalfEventError(BrokenAnswerError):
    """Not JSON; at the very end of a body a cut, which the missing finish reason tells better."""


class ChunkStream:
    """Feeds an assembly with the chunks in a streamed body; `done` after the `[DONE]` event."""

    def __init__(self, assembly: Assembly, opened: Callable[[], None]) -> None:
        self.assembly = assembly
        self.done = False
        self._opened: Callable[[], None] | None = opened
        self._events = EventReader()
        self._beginning = b""

    def take(self, received: bytes) -> None:
        """Take in the next bytes. Raises BrokenAnswerError for what is no chunk."""
        if self._opened is not None:
            self._beginning = (self._beginning + received)[:_KEPT_BYTES]
        for data in self._events.feed(received):
            self._event(data)

    def close(self) -> None:
        """The body has ended. Raises BrokenAnswerError when there was no chunk in it."""
        with suppress(_HalfEventError):
            for data in self._events.close():
                self._event(data)
        if self._opened is not None:
            raise BrokenAnswerError(
                f"the body is no event stream; it begins: {excerpt(self._beginning)}"
            )
        self.assembly.close()

    def _event(self, data: bytes) -> None:
        if self.done or not data:
            return
        if data.startswith(_DONE):
            self.done = True
            return
        feed(self.assembly, parse_object(data))
        if self._opened is not None:
            self._opened()
            self._opened = None


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises BrokenAnswerError for anything else, an error object included."""
    try:
        parsed = jiter.from_json(data)
    except ValueError as error:
        raise _HalfEventError(f"the answer is not JSON: {excerpt(data)}") from error
    if not isinstance(parsed, dict):
        raise BrokenAnswerError(f"the answer is no JSON object: {excerpt(data)}")
    if parsed.get("error") and not parsed.get("choices"):
        raise BrokenAnswerError(
            f"the server reports an error: {excerpt(data)}", body=parsed["error"]
        )
    return parsed


def feed(assembly: Assembly, chunk: dict[str, Any]) -> None:
    """Hand a chunk over. Raises BrokenAnswerError if its fields aren't what they should be."""
    try:
        assembly.feed(chunk)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BrokenAnswerError(
            f"a chunk of the answer is malformed: {str(chunk)[:300]}"
        ) from error
