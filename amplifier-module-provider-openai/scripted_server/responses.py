"""Responses answers, as OpenAI's reference shows them."""

from __future__ import annotations

import json
from typing import Any

from .server import Answer, Ending

USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 18,
}


def response(*output: dict[str, Any], text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A finished response; without items it says `text`."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "tiny",
        "status": "completed",
        "output": list(output) or [message(text)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE,
        **fields,
    }


def message(text: str, item_id: str = "msg_1") -> dict[str, Any]:
    """A message item."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "type": "message",
        "id": item_id,
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def response_stream(
    *texts: str, ending: Ending = "keep", complete: bool = True, **fields: Any
) -> Answer:
    """A streamed response of one message."""
    text = "".join(texts)
    item = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    begun = response(**{**fields, "status": "in_progress", "output": [], "usage": None})
    opened = {**message(""), "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **item, "part": part},
    ]
    events += [
        {"type": "response.output_text.delta", **item, "delta": piece, "logprobs": []}
        for piece in texts
    ]
    if complete:
        final = response(text=text, **fields)
        done = {"type": "response.output_item.done", "output_index": 0, "item": message(text)}
        status = final["status"]
        events += [done, {"type": f"response.{status}", "response": final}]
    pieces = [_event(number, event) for number, event in enumerate(events)]
    return Answer(content_type="text/event-stream", pieces=pieces, ending=ending)


def _event(number: int, event: dict[str, Any]) -> bytes:
    data = json.dumps({**event, "sequence_number": number})
    return f"event: {event['type']}\ndata: {data}\n\n".encode()
