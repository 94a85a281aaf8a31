"""The `llm:stream_*` events of one answer.

Blocks are noted at once and emitted by a task of their own, so that reading goes on
while hooks run; deltas of one block that pile up meanwhile go out as one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from io import StringIO
from typing import Any, Literal
from uuid import uuid4

from . import _constants as event

Emit = Callable[[str, dict[str, Any]], Awaitable[Any]]
BlockType = Literal["text", "thinking", "tool_use"]


class BlockEvents:
    """Notes blocks as they start, grow and end; without `emit` it only remembers that they did."""

    def __init__(self, emit: Emit | None, request_id: str | None = None) -> None:
        self.request_id = request_id or str(uuid4())
        self.any_delta = False
        self.begun = False
        self._emit = emit
        self._pending: deque[tuple[str, dict[str, Any], StringIO]] = deque()
        self._sequence: defaultdict[int, int] = defaultdict(int)
        self._task: asyncio.Task[None] | None = None

    def start(self, index: int, block_type: BlockType, name: str | None = None) -> None:
        """A block begins; `name` is a tool's."""
        extra = {"name": name} if name else {}
        self._note(event.STREAM_BLOCK_START, index, block_type, extra=extra)

    def delta(self, index: int, block_type: BlockType, text: str) -> None:
        """A block of text or thinking grows; empty text is dropped."""
        if not text:
            return
        self.any_delta = True
        if self._emit is None:
            return
        if self._pending:
            name, payload, grown = self._pending[-1]
            if name == event.STREAM_BLOCK_DELTA and payload["block_index"] == index:
                grown.write(text)
                return
        self._note(event.STREAM_BLOCK_DELTA, index, block_type, text=text)

    def end(self, index: int, block_type: BlockType) -> None:
        """A block is complete."""
        self._note(event.STREAM_BLOCK_END, index, block_type)

    async def flush(self) -> None:
        """Return when all that was noted has been emitted."""
        while self._task is not None:
            task = self._task
            await asyncio.shield(task)
            if self._task is task:
                self._task = None

    async def abort(self, error: BaseException) -> None:
        """Tell those who were shown something that no more will come."""
        if self._emit is None or not self.any_delta:
            return
        await self.flush()
        failure = {"type": type(error).__name__, "msg": str(error)}
        await self._emit(event.STREAM_ABORTED, {"request_id": self.request_id, "error": failure})

    def cancel(self) -> None:
        """Stop emitting; for a cancelled request."""
        if self._task is not None:
            self._task.cancel()

    def _note(
        self,
        name: str,
        index: int,
        block_type: BlockType,
        *,
        text: str = "",
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.begun = True
        if self._emit is None:
            return
        payload: dict[str, Any] = {
            "request_id": self.request_id,
            "block_index": index,
            "block_type": block_type,
            **(extra or {}),
        }
        grown = StringIO()
        grown.write(text)
        self._pending.append((name, payload, grown))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(self._emit))

    async def _drain(self, emit: Emit) -> None:
        while self._pending:
            name, payload, grown = self._pending.popleft()
            if name == event.STREAM_BLOCK_DELTA:
                index = payload["block_index"]
                payload["sequence"], payload["text"] = self._sequence[index], grown.getvalue()
                self._sequence[index] += 1
            await emit(name, payload)
