"""What a server must send of the Responses API, as types: a response and its events.

Source: OpenAI's openapi 2.3.0, `Response`, `OutputItem`, `ResponseUsage`, `ResponseStreamEvent`.
"""

from __future__ import annotations

from typing import Any, Literal

from conformance.completion import Count, Received
from conformance.conversation import parsed


class Part(Received):
    """A part of a message."""

    type: str
    text: str = ""


class Item(Received):
    """An item of the output: a message, a call, a thought."""

    type: str
    content: list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class CachedTokens(Received):
    """Of the input tokens."""

    cached_tokens: Count


class ReasoningTokens(Received):
    """Of the output tokens."""

    reasoning_tokens: Count


class ResponseUsage(Received):
    """Tokens, as the server counted them."""

    input_tokens: Count
    output_tokens: Count
    total_tokens: Count
    input_tokens_details: CachedTokens | None = None
    output_tokens_details: ReasoningTokens | None = None


class Incomplete(Received):
    """Why an answer ended before its end."""

    reason: str


class Response(Received):
    """A whole response."""

    id: str
    object: Literal["response"]
    status: str
    output: list[Item]
    usage: ResponseUsage | None = None
    incomplete_details: Incomplete | None = None

    @property
    def text(self) -> str:
        """The text of all messages."""
        messages = [item for item in self.output if item.type == "message"]
        return "".join(part.text for message in messages for part in message.content or ())

    @property
    def json(self) -> Any:
        """The text, parsed. An `AssertionError` if it is not JSON."""
        return parsed(self.text, "the text")

    @property
    def call(self) -> Item:
        """The only call. An `AssertionError` if there is none, or more than one."""
        calls = [item for item in self.output if item.type == "function_call"]
        assert len(calls) == 1, f"expected one call, got {self.output}"
        return calls[0]


class Event(Received):
    """One event of a streamed response."""

    type: str
    sequence_number: int | None = None
    output_index: int | None = None
    content_index: int | None = None
    delta: str = ""
    arguments: str = ""
    response: dict[str, Any] | None = None
