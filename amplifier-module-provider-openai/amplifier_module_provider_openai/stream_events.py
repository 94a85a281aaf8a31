"""The `llm:stream_*` events of one answer.

They are emitted while reading goes on; deltas of one block that pile up meanwhile go
out as one.
"""

from __future__ import annotations

from collections import defaultdict
from io import StringIO
from typing import Any, Literal
from uuid import uuid4

from . import _constants as event
from .outbox import Note, Outbox

# An emit takes 0.1 to 0.2 ms, so that a block's start and first delta go out within.
_MOMENT = 0.005
BlockType = Literal["text", "thinking", "tool_use"]


class BlockEvents:
    """Notes blocks as they start, grow and end; without an outbox it only remembers it."""

    def __init__(self, outbox: Outbox | None, request_id: str | None = None) -> None:
        self.request_id = request_id or str(uuid4())
        self.any_delta = False
        self.begun = False
        self._outbox = outbox
        self._sequence: defaultdict[int, int] = defaultdict(int)

    def start(self, index: int, block_type: BlockType, name: str | None = None) -> None:
        """A block begins; `name` is a tool's."""
        self.begun = True
        if self._outbox is not None:
            extra = {"name": name} if name else {}
            payload = {**self._payload(index, block_type), **extra}
            self._outbox.put(Note(event.STREAM_BLOCK_START, payload))

    def delta(self, index: int, block_type: BlockType, text: str) -> None:
        """A block of text or thinking grows; empty text is dropped."""
        if not text:
            return
        self.begun = self.any_delta = True
        if self._outbox is not None:
            self._grow(self._outbox, index, block_type, text)

    def end(self, index: int, block_type: BlockType) -> None:
        """A block is complete."""
        self.begun = True
        if self._outbox is not None:
            self._outbox.put(Note(event.STREAM_BLOCK_END, self._payload(index, block_type)))

    async def flush(self) -> None:
        """Return when all that was noted has been emitted."""
        if self._outbox is not None:
            await self._outbox.flush()

    async def show(self) -> None:
        """Give what was noted its turn; a hook that is slower than a moment is not waited for."""
        if self._outbox is not None:
            await self._outbox.give_turn(_MOMENT)

    async def abort(self, error_type: str, message: str) -> None:
        """Tell those who were shown something that no more will come."""
        if self._outbox is None or not self.any_delta:
            return
        failure = {"type": error_type, "msg": message}
        payload = {"request_id": self.request_id, "error": failure}
        self._outbox.put(Note(event.STREAM_ABORTED, payload))
        await self._outbox.flush()

    def _grow(self, outbox: Outbox, index: int, block_type: BlockType, text: str) -> None:
        last = outbox.waiting[-1] if outbox.waiting else None
        if last is not None and last.text is not None and last.payload["block_index"] == index:
            last.text.write(text)
            return
        payload = {**self._payload(index, block_type), "sequence": self._sequence[index]}
        self._sequence[index] += 1
        grown = StringIO()
        grown.write(text)
        outbox.put(Note(event.STREAM_BLOCK_DELTA, payload, grown))

    def _payload(self, index: int, block_type: BlockType) -> dict[str, Any]:
        return {"request_id": self.request_id, "block_index": index, "block_type": block_type}
