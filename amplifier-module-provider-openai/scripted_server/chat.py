"""Chat Completions answers, as OpenAI's reference shows them unless told otherwise."""

from __future__ import annotations

import json
from typing import Any

from .server import Answer, Ending

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def usage(**details: Any) -> dict[str, Any]:
    """Token counts, with details if given."""
    return {**USAGE, **details}


def completion(
    content: str | None = "Hello", finish: str | None = "stop", **message: Any
) -> dict[str, Any]:
    """A whole completion; more keys go into its message."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish,
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
        "usage": USAGE,
    }


def chunk(content: str | None = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """One chunk; more keys go into its delta."""
    given = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": {**given, **delta}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
    }


def tool_delta(arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """One entry of a delta's `tool_calls`; `name` goes into its function."""
    function = {"name": fields.pop("name")} if "name" in fields else {}
    if arguments is not None:
        function["arguments"] = arguments
    return {**fields, "function": function}


def sse(*events: Any, done: bool = True) -> bytes:
    """Events as bytes; bytes are taken as they are."""
    lines = [event if isinstance(event, bytes) else _event(event) for event in events]
    return b"".join([*lines, b"data: [DONE]\n\n" if done else b""])


def stream(*events: Any, done: bool = True, ending: Ending = "keep", cut: int = 0) -> Answer:
    """A streamed answer, one event in a piece, or cut every `cut` bytes."""
    body = sse(*events, done=done)
    pieces = [event if isinstance(event, bytes) else _event(event) for event in events]
    if done:
        pieces.append(b"data: [DONE]\n\n")
    if cut:
        pieces = [body[at : at + cut] for at in range(0, len(body), cut)]
    return Answer(content_type="text/event-stream", pieces=pieces, ending=ending)


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
