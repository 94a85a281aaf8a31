"""What every asker gives back, whatever the layer and the mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.conversation import Message, ToolCall, assistant, parsed


@dataclass(frozen=True)
class Usage:
    """Tokens, as the server counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class Reply:
    """A model's answer. `text` is "" where the answer holds none; `usage` None where unreported."""

    text: str
    tool_calls: Sequence[ToolCall]
    finish_reason: str | None
    usage: Usage | None
    reasoning: str = ""
    #: The pieces of text in the order in which they came; () for a whole answer.
    deltas: Sequence[str] = ()

    @property
    def call(self) -> ToolCall:
        """The only tool call. An `AssertionError` if there is none, or more than one."""
        assert len(self.tool_calls) == 1, f"expected one tool call, got {self.described}"
        return self.tool_calls[0]

    @property
    def json(self) -> Any:
        """The text, parsed. An `AssertionError` if it is not JSON."""
        return parsed(self.text, "the text")

    @property
    def described(self) -> str:
        """What came, in a line, for messages."""
        calls = ", ".join(f"{call.name}({call.text})" for call in self.tool_calls)
        return f"calls [{calls}], text {self.text!r}, finish reason {self.finish_reason!r}"

    def as_message(self) -> Message:
        """This answer as a turn of the next request's history."""
        return assistant(self.text, self.tool_calls)


@dataclass(frozen=True)
class Refusal:
    """An error as the asker's user would meet it: HTTP status and a message for people."""

    status: int | None
    message: str
