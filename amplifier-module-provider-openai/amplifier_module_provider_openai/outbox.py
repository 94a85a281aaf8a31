"""Events on their way to Amplifier's hooks.

An emit of amplifier-core 2.0.2 crosses threads and costs more than 0.1 ms, heard or
not. So what nobody has registered for is not emitted, and what may come while the
request is under way is emitted by a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

from amplifier_core.hooks import HookRegistry

logger = logging.getLogger(__name__)
Tell = Callable[[str, Callable[[], dict[str, Any]]], Awaitable[None]]
# The kernel gives these the same `request_id`: it has to see all of them if one is heard.
_LINKED = frozenset(
    {"llm:request", "llm:response", "provider:retry", "provider:throttle", "provider:error"}
)


@dataclass(slots=True)
class Note:
    """An event that waits; what has been written to `text` is its payload's "text"."""

    event: str
    payload: dict[str, Any]
    text: StringIO | None = None


class Outbox:
    """Emits in the order in which it was told; without hooks it does nothing."""

    def __init__(self, hooks: Any) -> None:
        self.waiting: deque[Note] = deque()
        self._hooks = hooks
        self._task: asyncio.Task[None] | None = None

    def hears(self, *events: str) -> bool:
        """Whether anybody gets one of these events; true for hooks that don't say."""
        if not isinstance(self._hooks, HookRegistry):
            return self._hooks is not None
        names = events if _LINKED.isdisjoint(events) else _LINKED.union(events)
        return any(self._hooks.list_handlers(name).get(name) for name in names)

    async def tell(self, event: str, payload: Callable[[], dict[str, Any]]) -> None:
        """Emit, after all that was put before; returns when the hooks have run."""
        await self.flush()
        if self._hooks is not None and self.hears(event):
            await self._emit(event, payload())

    def put(self, note: Note) -> None:
        """Have it emitted soon; returns at once."""
        self.waiting.append(note)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def flush(self) -> None:
        """Return when all that was put has been emitted."""
        while self._task is not None:
            task = self._task
            await asyncio.shield(task)
            if self._task is task:
                self._task = None

    async def give_turn(self, seconds: float) -> None:
        """Return when all that was put has been emitted, or when the time is up."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)

    def cancel(self) -> None:
        """Drop what waits; for a request that was cancelled."""
        if self._task is not None:
            self._task.cancel()

    async def _drain(self) -> None:
        while self.waiting:
            note = self.waiting.popleft()
            if note.text is not None:
                note.payload["text"] = note.text.getvalue()
            await self._emit(note.event, note.payload)

    async def _emit(self, event: str, payload: dict[str, Any]) -> None:
        """Emit; who listens can't make the call fail, as it can't with Amplifier's own hooks."""
        try:
            await self._hooks.emit(event, payload)
        except Exception:
            logger.exception("A hook failed on %s", event)
