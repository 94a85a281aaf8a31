"""The answer handed to Amplifier, built the same way for both protocols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from amplifier_core import TextContent, ThinkingContent, ToolCallContent
from amplifier_core.message_models import (
    ChatResponse,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolCallBlock,
    Usage,
)

from .tool_calls import Call


class OpenAIChatResponse(ChatResponse):
    """A ChatResponse with the blocks that user interfaces show and the text that loops read."""

    content_blocks: list[TextContent | ThinkingContent | ToolCallContent] | None = None
    text: str | None = None
    output_text: str | None = None


@dataclass
class Answer:
    """Content of one answer, block after block, in the order the model gave it."""

    content: list[Any] = field(default_factory=list)
    shown: list[TextContent | ThinkingContent | ToolCallContent] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    separator: str = "\n\n"
    strips: bool = False

    def add_text(self, text: str, raw: Any = None) -> None:
        """Append text that the user is to read."""
        self.content.append(TextBlock(text=text))
        self.shown.append(TextContent(text=text, raw=raw))
        self.texts.append(text)

    def add_thinking(self, text: str, state: list[Any] | None = None) -> None:
        """Append reasoning; `state` is OpenAI's [encrypted content, item id], for the next turn."""
        self.content.append(ThinkingBlock(thinking=text, visibility="internal", content=state))
        self.shown.append(ThinkingContent(text=text))

    def add_call(self, call: Call, raw: Any = None) -> None:
        """Append a tool call."""
        self.content.append(ToolCallBlock(id=call.id, name=call.name, input=call.arguments))
        self.shown.append(
            ToolCallContent(id=call.id, name=call.name, arguments=call.arguments, raw=raw)
        )
        self.calls.append(ToolCall(id=call.id, name=call.name, arguments=call.arguments))

    def build(
        self,
        *,
        usage: Usage,
        finish_reason: str | None,
        metadata: dict[str, Any],
        output_text: str | None = None,
        response_class: type[ChatResponse] = OpenAIChatResponse,
    ) -> ChatResponse:
        """The finished response; its `text` is all text blocks joined for people."""
        text = self.separator.join(self.texts)
        text = text.strip() if self.strips else text
        return response_class(
            content=self.content,
            tool_calls=self.calls or None,
            usage=usage,
            finish_reason=finish_reason,
            metadata=metadata or None,
            content_blocks=self.shown or None,
            text=text if text.strip() else None,
            output_text=output_text or "".join(self.texts) or None,
        )


def count(tokens: object) -> int | None:
    """A token count from the wire; None for anything that isn't one."""
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None
