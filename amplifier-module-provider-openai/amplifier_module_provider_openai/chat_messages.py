"""Amplifier's history as the `messages` of a Chat Completions request.

Written for the strictest server: one system message and that first, user and
assistant in turn, every call answered right after it and every result called for,
arguments always the text of a JSON object, the first and the last word not the assistant's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .history import Image, Turn, answered_calls, read_field, read_turns
from .repair import missing_result
from .tool_calls import Call, arguments_text

Wire = dict[str, Any]


def chat_messages(messages: Iterable[Any], reasoning_replay: str = "none") -> list[Wire]:
    """The whole conversation; `reasoning_replay` names the field that earlier thoughts go into."""
    turns = read_turns(messages)
    leading, conversation = _split_system(turns)
    wire: list[Wire] = []
    for turn in conversation:
        for message in _wire_messages(turn, reasoning_replay):
            _append(wire, message)
    return [*leading, *_begun_and_ended_by_user(wire)]


def _begun_and_ended_by_user(wire: list[Wire]) -> list[Wire]:
    prompt = {"role": "user", "content": "Continue."}
    begin = [prompt] if wire and wire[0]["role"] == "assistant" else []
    end = [prompt] if not wire or wire[-1]["role"] == "assistant" else []
    return [*begin, *wire, *end]


def _split_system(turns: list[Turn]) -> tuple[list[Wire], list[Turn]]:
    """The system message, and the rest: developer messages first, then the conversation.

    A system message that comes after the conversation has begun becomes a reminder
    where it stands: merged into the first it would undo the server's prompt cache.
    """
    begun = next(
        (at for at, turn in enumerate(turns) if turn.role not in {"system", "developer"}),
        len(turns),
    )
    system = "\n\n".join(turn.text for turn in turns[:begun] if turn.role == "system" and turn.text)
    developer = [turn for turn in turns if turn.role == "developer"]
    rest = [turn for turn in turns[begun:] if turn.role != "developer"]
    return ([{"role": "system", "content": system}] if system else []), [*developer, *rest]


def _wire_messages(turn: Turn, reasoning_replay: str) -> list[Wire]:
    if turn.role == "assistant":
        return _assistant(turn, reasoning_replay)
    if turn.role == "developer":
        return _user([f"<context_file>\n{turn.text}\n</context_file>"] if turn.text else [])
    if turn.role == "system":
        return _user([f"<system-reminder>\n{turn.text}\n</system-reminder>"] if turn.text else [])
    if turn.role == "tool":
        return _user([f"[Tool: {turn.name or 'unknown'}]\n{turn.text}", *turn.images])
    return _user(turn.parts)


def _user(parts: Iterable[str | Image]) -> list[Wire]:
    kept = [part for part in parts if part]
    if all(isinstance(part, str) for part in kept):
        text = "\n\n".join(part for part in kept if isinstance(part, str))
        return [{"role": "user", "content": text}] if text.strip() else []
    return [{"role": "user", "content": [_part(part) for part in kept]}]


def _part(part: str | Image) -> Wire:
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": part.url}}
    return {"type": "text", "text": part}


def _assistant(turn: Turn, reasoning_replay: str) -> list[Wire]:
    message: Wire = {"role": "assistant", "content": turn.text}
    thought = "\n\n".join(read_field(block, "thinking") or "" for block in turn.thoughts)
    if thought and reasoning_replay != "none":
        message[reasoning_replay] = thought
    if not turn.calls:
        return [message] if turn.text.strip() else []
    answered = list(answered_calls(turn))
    message["tool_calls"] = [_tool_call(call) for call, _ in answered]
    results = [_tool_result(call, result) for call, result in answered]
    images = [image for result in turn.results for image in result.images]
    return [message, *results, *_user(images)]


def _tool_call(call: Call) -> Wire:
    function = {"name": call.name, "arguments": arguments_text(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _tool_result(call: Call, result: Turn | None) -> Wire:
    content = missing_result(call.name, call.id) if result is None else result.text
    if result is not None and not content and result.images:
        content = "[image in the next message]"
    return {"role": "tool", "tool_call_id": call.id, "content": content}


def _append(wire: list[Wire], message: Wire) -> None:
    """Add a message, or join it to the one before when both are of the same role."""
    before = wire[-1] if wire else None
    if (
        before is None
        or before["role"] != message["role"]
        or message["role"] == "tool"
        or "tool_calls" in before
    ):
        wire.append(message)
        return
    before["content"] = _joined(before["content"], message["content"])
    before.update({key: value for key, value in message.items() if key not in before})


def _joined(first: str | list[Wire], second: str | list[Wire]) -> str | list[Wire]:
    if isinstance(first, str) and isinstance(second, str):
        return "\n\n".join(text for text in (first, second) if text)
    return [*_as_parts(first), *_as_parts(second)]


def _as_parts(content: str | list[Wire]) -> list[Wire]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
