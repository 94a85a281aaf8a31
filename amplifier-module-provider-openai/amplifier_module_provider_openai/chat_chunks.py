"""Bytes of an answer → the JSON objects in it, or a clear word on what came instead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jiter

from .broken import BrokenAnswerError, no_event_stream
from .chat_stream import Assembly
from .parsing import NotJSONError, parse_object
from .sse import EventReader

_DONE = b"[DONE]"
_KEPT_BYTES = 2000


class ChunkStream:
    """Feeds an assembly with the chunks in a streamed body; `done` after the `[DONE]` event."""

    def __init__(self, assembly: Assembly, opened: Callable[[], None]) -> None:
        self.assembly = assembly
        self.done = False
        self._opened: Callable[[], None] | None = opened
        self._events = EventReader()
        self._beginning = b""

    @property
    def is_finished(self) -> bool:
        """Whether the answer has come to its end, whatever becomes of the connection."""
        return self.done or self.assembly.finish_reason is not None

    def take(self, received: bytes) -> None:
        """Take in the next bytes. Raises BrokenAnswerError for what is no chunk."""
        if self._opened is None and received.startswith(b"data: {") and self._one_chunk(received):
            return
        if self._opened is not None:
            self._beginning = (self._beginning + received)[:_KEPT_BYTES]
        for data in self._events.feed(received):
            self._event(data)

    def _one_chunk(self, received: bytes) -> bool:
        """The usual case, a piece that is one chunk: True when it was and has been taken in."""
        if self.done or not received.endswith(b"}\n\n") or self._events.rest:
            return False
        try:
            chunk = jiter.from_json(received[6:])
        except ValueError:
            return False
        if not chunk.get("choices") or chunk.get("error"):
            return False
        feed(self.assembly, chunk)
        return True

    def close(self) -> None:
        """The body has ended. Raises BrokenAnswerError when there was no chunk in it."""
        with suppress(NotJSONError):  # a cut, which the missing finish reason tells better
            for data in self._events.close():
                self._event(data)
        if self._opened is not None:
            raise no_event_stream(self._beginning)
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


def feed(assembly: Assembly, chunk: dict[str, Any]) -> None:
    """Hand a chunk over. Raises BrokenAnswerError if its fields aren't what they should be."""
    try:
        assembly.feed(chunk)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BrokenAnswerError(
            f"a chunk of the answer is malformed: {str(chunk)[:300]}"
        ) from error
