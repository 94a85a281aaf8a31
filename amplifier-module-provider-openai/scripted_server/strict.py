"""What the strictest local servers refuse in a request; each refusal is a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .server import Answer, Request

Body = dict[str, Any]
_OPENAIS_OWN = (
    "store",
    "include",
    "truncation",
    "background",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "max_completion_tokens",
)


def strict(answer: Answer) -> Callable[[Request], Answer]:
    """A script that gives the answer only to a request that no local server chokes on."""

    def judge(request: Request) -> Answer:
        refuse = refuse_input if request.path.endswith("/responses") else refuse_messages
        body = request.json
        said = refuse_fields(body) or refuse(body["input" if "input" in body else "messages"])
        return Answer.json({"error": {"message": said}}, 400) if said else answer

    return judge


def refuse_fields(body: Body) -> str | None:
    """Nulls, empty lists of tools, and fields that nobody but OpenAI has."""
    foreign = [key for key in _OPENAIS_OWN if key in body]
    if foreign:
        return f"unknown parameters: {', '.join(foreign)}"
    if any(value is None for value in body.values()):
        return "a parameter is null"
    if "tools" in body and not body["tools"]:
        return "tools is empty"
    if "tools" not in body and {"tool_choice", "parallel_tool_calls"} & body.keys():
        return "a choice of tools without tools"
    return None


def refuse_messages(wire: list[Body]) -> str | None:
    """What is wrong with the messages of a Chat Completions request; None if nothing is."""
    spoken = [message for message in wire if message["role"] != "system"]
    turns = [message["role"] for message in spoken if message["role"] != "tool"]
    if any(message["role"] == "system" for message in wire[1:]):
        return "the system message must come first"
    if turns[0] != "user" or any(a == b == "user" for a, b in pairwise(turns)):
        return "the user begins, and speaks once"
    if wire[-1]["role"] == "assistant":
        return "the last word is the assistant's"
    if any(a["role"] == b["role"] == "assistant" for a, b in pairwise(spoken)):
        return "roles must alternate"
    return _refuse_calls(spoken) or _refuse_content(spoken)


def _refuse_calls(spoken: list[Body]) -> str | None:
    expected: list[str] = []
    for message in spoken:
        if message["role"] == "tool":
            if not expected or message["tool_call_id"] != expected.pop(0):
                return "a result must answer the call before it"
            continue
        if expected:
            return "a call has no result"
        calls = message.get("tool_calls", [])
        expected = [call["id"] for call in calls]
        if not all(_is_object(call["function"]["arguments"]) for call in calls):
            return "arguments must be objects, as text"
        if not all(expected) or len(set(expected)) != len(expected):
            return "each call needs an id of its own"
    return "a call has no result" if expected else None


def _refuse_content(spoken: list[Body]) -> str | None:
    for message in spoken:
        content = message["content"]
        if not content and message["role"] != "tool" and not message.get("tool_calls"):
            return "a message must say something"
        if isinstance(content, list) and all(part["type"] == "text" for part in content):
            return "text alone must be a string"
    return None


def refuse_input(items: list[Body], *, typed: bool = True) -> str | None:
    """What is wrong with the items of a Responses request; None if nothing is.

    OpenAI takes what is not `typed`, and has calls of a kind of its own.
    """
    waiting: dict[str, str] = {}
    calls = {"function_call"} if typed else {"function_call", "apply_patch_call"}
    for item in items:
        kind = item.get("type", "message" if "role" in item else None)
        if kind in calls:
            if item["call_id"] in {"", *waiting} or not _has_arguments(item):
                return "a call needs an id of its own, and an object as text"
            waiting[item["call_id"]] = f"{kind}_output"
        elif kind in {f"{call}_output" for call in calls}:
            if waiting.pop(item["call_id"], None) != kind:
                return "a result must follow its call"
        elif said := _refuse_message(item, kind, typed=typed):
            return said
    return "a call has no result" if waiting else None


def _has_arguments(call: Body) -> bool:
    return isinstance(call.get("operation"), dict) or _is_object(call.get("arguments"))


def _refuse_message(item: Body, kind: str | None, *, typed: bool) -> str | None:
    """llama.cpp (b11549) wants assistant items typed, with id and status."""
    if kind != "message" or not item.get("content"):
        return "Cannot determine type of 'item'"
    if typed and item["role"] == "assistant" and not {"type", "id", "status"} <= item.keys():
        return "Cannot determine type of 'item'"
    return None


def _is_object(arguments: object) -> bool:
    try:
        return isinstance(arguments, str) and isinstance(json.loads(arguments), dict)
    except ValueError:
        return False
