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
    """One content block under way; `text` holds a tool's arguments.

    It gets its `index` when it starts: a call whose name never comes must not take one.
    """

    kind: BlockType
    index: int = -1
    text: StringIO = field(default_factory=StringIO)
    call_id: str = ""
    name: str = ""


class Assembly:
    """Feed it parsed chunks; it notes block events and keeps blocks, finish reason and usage."""

    def __init__(self, events: BlockEvents) -> None:
        self.blocks: list[Block] = []  # those that have started
        self.calls: list[Block] = []  # those too that wait for their names
        self.finish_reason: str | None = None
        self.usage: dict[str, Any] | None = None
        self.model: str | None = None
        self.response_id: str | None = None
        self.refused = False
        self.any_delta = False
        self._is_named = False
        self._events = events
        self._splitter: ThinkSplitter | None = ThinkSplitter(self._last_character)
        self._slots: dict[int | None, Block] = {}
        self._open: Block | None = None
        # The text block that grows while nothing but text comes, which is most of the time.
        self._growing: Block | None = None

    def feed(self, chunk: dict[str, Any]) -> None:
        """Take in one chunk, or a whole completion, whose message stands for the delta."""
        usage = chunk.get("usage")
        if usage:
            self.usage = usage
        if not self._is_named:
            self._take_names(chunk)
        choices = chunk.get("choices")
        if not choices:
            return
        self._choice(choices[0])

    def _take_names(self, chunk: dict[str, Any]) -> None:
        """The first model and id that say something: Azure's first chunk has empty ones."""
        self.model = self.model or chunk.get("model")
        self.response_id = self.response_id or chunk.get("id")
        self._is_named = bool(self.model and self.response_id)

    def _choice(self, choice: dict[str, Any]) -> None:
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

    def _delta(self, delta: dict[str, Any]) -> None:
        content = delta.get("content")
        if len(delta) == 1 and content and isinstance(content, str):
            self._content(content)
            return
        self._rarities(delta)
        if content:
            self._content(content if isinstance(content, str) else _joined_parts(content))
        self._tool_calls(delta)

    def _tool_calls(self, delta: dict[str, Any]) -> None:
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
            self._growing = self._open
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
        block = self._open
        if block is None or block.kind != kind:
            block = self._begin(kind)
            self._start(block)
        block.text.write(text)
        self._events.delta(block.index, kind, text)

    def _begin(self, kind: BlockType) -> Block:
        self._end_open()
        self._open = block = Block(kind)
        if kind == "tool_use":
            self.calls.append(block)
        return block

    def _start(self, block: Block) -> None:
        if block.index >= 0 or (block.kind == "tool_use" and not block.name):
            return
        block.index = len(self.blocks)
        self.blocks.append(block)
        self._events.start(block.index, block.kind, block.name or None)
        if block is not self._open:
            self._events.end(block.index, block.kind)

    def _end_open(self) -> None:
        self._growing, block = None, self._open
        if block is None:
            return
        self._start(block)
        self._open = None
        if block.index >= 0:
            self._events.end(block.index, block.kind)

    def _last_character(self) -> str:
        return self.blocks[-1].text.getvalue()[-1:] if self.blocks else ""

    def _tool_call(self, entry: dict[str, Any]) -> None:
        function = entry.get("function") or {}
        name, arguments = function.get("name") or "", function.get("arguments")
        if isinstance(arguments, dict):
            arguments = arguments_text(arguments)
        block = self._slot(entry, name, arguments or "")
        if name and name != block.name and not (block.name and block.text.tell()):
            block.name += name
        block.text.write(arguments or "")
        if block.text.tell() or block is not self._open:
            self._start(block)

    def _slot(self, entry: dict[str, Any], name: str, arguments: str) -> Block:
        """The call that a fragment belongs to: by index if there is one, else by what is new."""
        index, call_id = entry.get("index"), entry.get("id") or ""
        block = self._slots.get(index)
        if block is None or _is_another(block, call_id, name, arguments, index):
            block = self._known_id(call_id) or self._begin("tool_use")
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
