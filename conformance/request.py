"""What a question is on the wire: the JSON of a chat completion request, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.conversation import (
    DEFAULT_MAX_TOKENS,
    OMITTED,
    Image,
    Message,
    Question,
    forced,
)
from reports import Mode


def request_body(question: Question, model: str, mode: Mode) -> dict[str, Any]:
    """The JSON of a chat completion request: temperature 0, and no key that is not needed."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in question.messages],
        "temperature": 0,
        "max_tokens": question.max_tokens or DEFAULT_MAX_TOKENS,
    }
    if question.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in question.tools]
    if question.tool_choice:
        body["tool_choice"] = forced(question.tool_choice)
    if question.stop:
        body["stop"] = list(question.stop)
    if question.schema is not None:
        body["response_format"] = _response_format(question.schema)
    if mode is Mode.STREAM:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body |= question.fields
    return {key: value for key, value in body.items() if value is not OMITTED}


def sent(messages: tuple[Message, ...], fields: Mapping[str, Any]) -> Question:
    """What a request with these keys asks; keys that make no sense are left as they are."""
    tools, choice = fields.get("tools") or (), fields.get("tool_choice")
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else choice
    offered = tuple(tool["function"] for tool in tools if "function" in tool)
    return Question(messages, offered, tool_choice=named, fields=fields)


def _message(message: Message) -> dict[str, Any]:
    content = [_part(part) for part in message.parts] if message.parts else message.text
    written: dict[str, Any] = {"role": message.role, "content": content}
    if message.calls:
        written["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.text}}
            for c in message.calls
        ]
    if message.call:
        written["tool_call_id"] = message.call.id
    return written


def _part(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = f"data:{part.media_type};base64,{part.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    if not schema:
        return {"type": "json_object"}
    described = {"name": "answer", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": described}
