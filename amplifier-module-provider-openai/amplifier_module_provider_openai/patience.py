"""How long a stream may be silent."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from amplifier_core.llm_errors import LLMTimeoutError

# Timers are not free, and there is a renewal for every token.
_PRECISION = 0.05


class IdleTimeoutError(LLMTimeoutError):
    """The server sent nothing for longer than `stream_idle_timeout`; retryable."""


class Patience:
    """Ends its block with IdleTimeoutError when it isn't renewed for `seconds`; 0 is for ever."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds or None)
        self._clock = asyncio.get_running_loop().time
        self._next_renewal = 0.0

    def renew(self, seconds: float | None = None) -> None:
        """Something came; wait the usual time for more, or as long as given."""
        now = self._clock()
        if seconds is None and (now < self._next_renewal or not self._seconds):
            return
        self._next_renewal = now + self._seconds * _PRECISION
        self._timeout.reschedule(now + (seconds or self._seconds))

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(exc_type, exc, traceback)
        except TimeoutError as error:
            raise IdleTimeoutError(
                f"The server sent nothing for {self._seconds:g} s (stream_idle_timeout)."
            ) from error
