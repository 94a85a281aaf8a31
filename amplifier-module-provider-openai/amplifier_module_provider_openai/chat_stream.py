"""Chat Completions chunks put together into one answer; a whole answer counts as one chunk."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from .stream_events import BlockEvents, BlockType
from .thinking import ThinkSplitter
from .tool_calls import arguments_text, read_arguments


@dataclass(slots=True, eq=False)
class Block:
    """One content block under way; `text` holds a tool's arguments."""

    index: int
    kind: BlockType
    text: StringIO = field(default_factory=StringIO)
    call_id: str = ""
    name: str = ""
    started: bool = False
    ended: bool = False


class Assembly:
    """Feed it parsed chunks; it notes block events and keeps blocks, finish reason and usage."""

    def __init__(self, events: BlockEvents) -> None:
        self.blocks: list[Block] = []
        self.finish_reason: str | None = None
        self.usage: dict[str, Any] | None = None
        self.model: str | None = None
        self.response_id: str | None = None
        self.refused = False
        self.any_delta = False
        self._events = events
        self._splitter: ThinkSplitter | None = ThinkSplitter()
        self._slots: dict[int | None, Block] = {}
        # The text block that grows while nothing but text comes, which is most of the time.
        self._growing: Block | None = None

    def feed(self, chunk: dict[str, Any]) -> None:
        """Take in one chunk, or a whole completion, whose message stands for the delta."""
        usage = chunk.get("usage")
        if usage:
            self.usage = usage
        if self.model is None:
            self.model, self.response_id = chunk.get("model"), chunk.get("id")
        choices = chunk.get("choices")
        if not choices:
            return
        choice = choices[0]
        delta = choice.get("delta") or choice.get("message")
        if delta:
            self.any_delta = True
            self._delta(delta)
        elif "text" in choice:
            raise ValueError("an answer of the old completions API")
        if choice.get("finish_reason"):
            self.finish_reason = choice["finish_reason"]

    def close(self) -> None:
        """The answer is complete: release what was held back and end every open block."""
        self._pieces(self._splitter.close() if self._splitter else ())
        self._end_open()

    def calls(self) -> list[Block]:
        """Tool call blocks that have a name, in order."""
        return [block for block in self.blocks if block.kind == "tool_use" and block.name]

    def _delta(self, delta: dict[str, Any]) -> None:
        content = delta.get("content")
        if len(delta) == 1 and content and isinstance(content, str):
            self._content(content)
            return
        self._rarities(delta)
        if content:
            self._content(content if isinstance(content, str) else _joined_parts(content))
        self._calls(delta)

    def _calls(self, delta: dict[str, Any]) -> None:
        if delta.get("tool_calls"):
            for entry in delta["tool_calls"]:
                self._tool_call(entry)
        elif delta.get("function_call"):
            self._tool_call({"index": 0, "function": delta["function_call"]})

    def _rarities(self, delta: dict[str, Any]) -> None:
        reasoning = (
            delta.get("reasoning_content")
            or delta.get("reasoning")
            or _joined_parts(delta.get("reasoning_details"))
        )
        if reasoning:
            self._stop_splitting()
            self._append("thinking", str(reasoning))
        if delta.get("refusal"):
            self.refused = True
            self._append("text", str(delta["refusal"]))

    def _stop_splitting(self) -> None:
        """The server tells thoughts from text itself."""
        splitter, self._splitter = self._splitter, None
        self._pieces(splitter.close() if splitter else ())

    def _content(self, content: str) -> None:
        block, splitter = self._growing, self._splitter
        if block is not None and "<" not in content:
            block.text.write(content)
            self._events.delta(block.index, "text", content)
        elif splitter is None or splitter.is_plain(content):
            self._append("text", content)
            self._growing = self.blocks[-1]
        else:
            self._growing = None
            self._pieces(splitter.feed(content))

    def _pieces(self, pieces: Any) -> None:
        for kind, text in pieces:
            if kind == "was_thinking":
                self._reclassify()
            elif text:
                self._append(kind, text)

    def _reclassify(self) -> None:
        """What went out as text was a thought: the tag that opened it was in the prompt."""
        self._end_open()
        for block in self.blocks:
            if block.kind == "text":
                block.kind = "thinking"

    def _append(self, kind: BlockType, text: str) -> None:
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.kind != kind or block.ended:
            block = self._open(kind)
            self._start(block)
        block.text.write(text)
        self._events.delta(block.index, kind, text)

    def _open(self, kind: BlockType) -> Block:
        self._end_open()
        block = Block(len(self.blocks), kind)
        self.blocks.append(block)
        return block

    def _start(self, block: Block) -> None:
        if not block.started:
            block.started = True
            self._events.start(block.index, block.kind, block.name or None)

    def _end_open(self) -> None:
        self._growing = None
        block = self.blocks[-1] if self.blocks else None
        if block is not None and not block.ended:
            self._start(block)
            block.ended = True
            self._events.end(block.index, block.kind)

    def _tool_call(self, entry: dict[str, Any]) -> None:
        function = entry.get("function") or {}
        name, arguments = function.get("name") or "", function.get("arguments")
        if isinstance(arguments, dict):
            arguments = arguments_text(arguments)
        block = self._slot(entry, name, arguments or "")
        if name and name != block.name and not block.text.tell():
            block.name += name
        if arguments:
            self._start(block)
            block.text.write(arguments)

    def _slot(self, entry: dict[str, Any], name: str, arguments: str) -> Block:
        """The call that a fragment belongs to: by index if there is one, else by what is new."""
        index, call_id = entry.get("index"), entry.get("id") or ""
        block = self._slots.get(index)
        if block is None or _is_another(block, call_id, name, arguments, index):
            block = self._known_id(call_id) or self._open("tool_use")
            self._slots[index] = block
        block.call_id = block.call_id or call_id
        return block

    def _known_id(self, call_id: str) -> Block | None:
        return next(
            (block for block in self._slots.values() if call_id and block.call_id == call_id), None
        )


def _is_another(block: Block, call_id: str, name: str, arguments: str, index: object) -> bool:
    """Whether a fragment begins another call although its index is taken, or absent."""
    if call_id:
        return bool(block.call_id) and call_id != block.call_id
    if not name:
        return False
    if not block.text.tell():
        return index is None and bool(block.name) and name != block.name
    different = name != block.name or bool(arguments)
    return different and read_arguments(block.text.getvalue())[1] is None


def _joined_parts(parts: Any) -> str:
    """Text of a list of content parts, as some servers send it."""
    if not isinstance(parts, list):
        return ""
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "".join(text for text in texts if isinstance(text, str))
