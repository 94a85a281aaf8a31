"""How long a stream may be silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from amplifier_core.llm_errors import LLMTimeoutError

from .native import transport_error

# How often to look whether something came, as a part of the time allowed.
_PRECISION = 0.05
# A server may keep the connection open after its last word.
_GRACE = 0.1


async def first_heard(pieces: AsyncIterator[bytes], patience: Patience) -> bytes:
    """The first bytes that are not blank: some proxies send blanks while a model thinks."""
    async for received in pieces:
        patience.heard = True
        if received.strip():
            return received
    return b""


class IdleTimeoutError(LLMTimeoutError):
    """The server sent nothing for longer than `stream_idle_timeout`; retryable."""


def is_of_connection(error: BaseException) -> bool:
    """Whether the server fell silent or the connection broke: no harm after the last word."""
    return isinstance(error, IdleTimeoutError) or transport_error(error) is not None


class Patience:
    """Ends its block with IdleTimeoutError when nothing is heard for `seconds`; 0 is for ever.

    Set `heard` whenever something came. There is a token every few microseconds at times:
    a clock read for each would cost more than its text.
    """

    def __init__(self, seconds: float) -> None:
        self.heard = False
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds or None)
        self._loop = asyncio.get_running_loop()
        self._next_look: asyncio.TimerHandle | None = None

    def end_soon(self) -> None:
        """The last word was said; wait a moment for the server to close, and no longer."""
        self._stop_looking()
        self._timeout.reschedule(self._loop.time() + _GRACE)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        if self._seconds:
            self._look()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_looking()
        try:
            await self._timeout.__aexit__(exc_type, exc, traceback)
        except TimeoutError as error:
            raise IdleTimeoutError(f"The server sent nothing for {self._seconds:g} s") from error

    def _look(self) -> None:
        if self._timeout.expired():
            return
        if self.heard:
            self.heard = False
            self._timeout.reschedule(self._loop.time() + self._seconds)
        self._next_look = self._loop.call_later(self._seconds * _PRECISION, self._look)

    def _stop_looking(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
