"""Chat completion chunks, assembled into a `Reply`."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.completion import CallFragment, Chunk, ChunkChoice
from conformance.conversation import ToolCall
from conformance.outcome import ensure_form
from conformance.reply import Reply, Usage


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    text: str = ""


@dataclass
class Assembly:
    """An answer, growing chunk by chunk; what can't be put together is `Malformed`."""

    deltas: list[str] = field(default_factory=list)
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    _calls: dict[int, _Call] = field(default_factory=dict)

    def add(self, chunk: Chunk) -> None:
        """Take in one chunk."""
        if chunk.usage:
            self.usage = Usage(**dict(chunk.usage))
        for choice in chunk.choices:
            self._choice(choice)

    def reply(self) -> Reply:
        """The answer, once the stream is over."""
        ensure_form(self.finish_reason, "the stream ended without a finish reason")
        calls = [ToolCall(call.id, call.name, call.text) for _, call in sorted(self._calls.items())]
        text = "".join(self.deltas)
        return Reply(text, calls, self.finish_reason, self.usage, self.reasoning, self.deltas)

    def _choice(self, choice: ChunkChoice) -> None:
        over = self.finish_reason is not None
        ensure_form(not over, f"a choice came after the finish reason: {choice!r}")
        if choice.delta.content:
            self.deltas.append(choice.delta.content)
        self.reasoning += choice.delta.thought
        for fragment in choice.delta.tool_calls or ():
            self._fragment(fragment)
        self.finish_reason = choice.finish_reason

    def _fragment(self, fragment: CallFragment) -> None:
        call = self._calls.setdefault(fragment.index, _Call())
        call.id = _once("id", call.id, fragment.id)
        call.name = _once("name", call.name, fragment.function.name)
        call.text += fragment.function.arguments or ""


def _once(what: str, known: str, came: str | None) -> str:
    twice = f"the {what} of a tool call came twice: {known!r}, {came!r}"
    ensure_form(not (known and came), twice)
    return known or came or ""
