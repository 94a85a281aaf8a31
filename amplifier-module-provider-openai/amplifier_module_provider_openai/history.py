"""Amplifier's messages, read once for both protocols.

Messages come as objects or as plain mappings, assistant calls as content blocks or
in an extra `tool_calls` list (whose entries name the tool `tool` or `name`), and
tool results mostly as `role: tool` messages with a string.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .tool_calls import Call, new_call_id, read_arguments

Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(slots=True)
class Image:
    """An image by URL; base64 content as a data URL."""

    url: str


@dataclass(slots=True)
class Turn:
    """One message, or one tool result of it.

    `results` of an assistant turn answer its `calls`, by id; a turn of role `tool`
    that `read_turns` returns is a result whose call is not in the history.
    """

    role: Role
    parts: list[str | Image] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    results: list[Turn] = field(default_factory=list)
    thoughts: list[Any] = field(default_factory=list)
    call_id: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """All text of the turn."""
        return "\n\n".join(part for part in self.parts if isinstance(part, str) and part)

    @property
    def images(self) -> list[Image]:
        """All images of the turn."""
        return [part for part in self.parts if isinstance(part, Image)]


def read_field(thing: Any, name: str) -> Any:
    """A field of a mapping or of an object; None when absent."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def read_turns(messages: Iterable[Any]) -> list[Turn]:
    """All messages as turns, each call followed by its result as far as there is one."""
    turns = [turn for message in messages for turn in _turns_of(message)]
    attached = _attach_results(turns)
    return [turn for turn in turns if id(turn) not in attached]


def calls_of(message: Any) -> list[Call]:
    """The tool calls of a message, from its content blocks and its `tool_calls` extra."""
    calls = [_read_call(block) for block in _blocks(message) if _kind(block) == "tool_call"]
    known = {call.id for call in calls if call.id}
    extra = read_field(message, "tool_calls")
    for entry in extra if isinstance(extra, list) else []:
        call = _read_call(entry)
        if call.name and not (call.id in known if call.id else calls):
            calls.append(call)
            known.add(call.id)
    return calls


def answered_calls(turn: Turn) -> Iterator[tuple[Call, Turn | None]]:
    """Each call under an id of its own, with the result that carries its old id."""
    return zip(turn.calls, turn.results, strict=True) if _is_orderly(turn) else _ordered(turn)


def _is_orderly(turn: Turn) -> bool:
    """Whether each call has a name, an id of its own and its result, as nearly all have."""
    ids = [call.id for call in turn.calls if call.id and call.name]
    results = [result.call_id for result in turn.results]
    return ids == results and len(set(ids)) == len(turn.calls)


def _ordered(turn: Turn) -> Iterator[tuple[Call, Turn | None]]:
    waiting, used = list(turn.results), set[str]()
    for call in turn.calls:
        result = next((turn for turn in waiting if turn.call_id == call.id), None)
        if result is not None:
            waiting.remove(result)
        call_id = call.id if call.id and call.id not in used else new_call_id()
        used.add(call_id)
        yield Call(call_id, call.name or "unknown", call.arguments), result


def result_ids(message: Any) -> set[str]:
    """Ids of the calls that a message answers."""
    return {turn.call_id for turn in _turns_of(message) if turn.role == "tool" and turn.call_id}


def text_of(content: Any) -> str:
    """Text of a message's content; what is neither text nor image as JSON."""
    return Turn("user", list(_parts(content))).text


def _attach_results(turns: list[Turn]) -> set[int]:
    """Hang each result at the nearest call before it that has its id; returns their identities."""
    attached: set[int] = set()
    for position, turn in enumerate(turns):
        for call in turn.calls:
            result = _result_after(turns, position, call.id)
            if result is not None and id(result) not in attached:
                result.name = result.name or call.name
                turn.results.append(result)
                attached.add(id(result))
    return attached


def _result_after(turns: list[Turn], position: int, call_id: str) -> Turn | None:
    for turn in turns[position + 1 :]:
        if turn.role == "tool" and turn.call_id == call_id:
            return turn
        if any(call.id == call_id for call in turn.calls):
            return None
    return None


def _turns_of(message: Any) -> Iterator[Turn]:
    role, call_id = read_field(message, "role"), read_field(message, "tool_call_id")
    content, name = read_field(message, "content"), read_field(message, "name")
    if role == "tool" or (role == "function" and call_id):
        name = name or read_field(message, "tool_name")
        yield Turn("tool", list(_parts(content)), call_id=call_id, name=name)
        return
    yield Turn(
        role if role in {"system", "developer", "assistant"} else "user",
        list(_parts(content)),
        calls=calls_of(message) if role == "assistant" else [],
        thoughts=[block for block in _blocks(message) if _kind(block) == "thinking"],
    )
    for block in _blocks(message):
        if _kind(block) == "tool_result":
            parts = list(_parts(read_field(block, "output")))
            yield Turn("tool", parts, call_id=read_field(block, "tool_call_id"))


def _blocks(message: Any) -> list[Any]:
    content = read_field(message, "content")
    return content if isinstance(content, list) else []


def _kind(block: Any) -> str:
    return str(read_field(block, "type"))


def _read_call(entry: Any) -> Call:
    function = read_field(entry, "function")
    source = function if isinstance(function, Mapping) else entry
    name = read_field(source, "name") or read_field(entry, "tool") or ""
    raw = read_field(source, "input")
    arguments, malformed = read_arguments(
        raw if raw is not None else read_field(source, "arguments")
    )
    return Call(str(read_field(entry, "id") or ""), str(name), arguments, malformed)


_NOT_CONTENT = frozenset({"thinking", "redacted_thinking", "reasoning", "tool_call", "tool_result"})


def _parts(content: Any) -> Iterator[str | Image]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list) and all(_is_block(block) for block in content):
        for block in content:
            yield from _part(block)
    elif content is not None:
        yield _as_json(content)


def _is_block(thing: Any) -> bool:
    return isinstance(thing, str) or isinstance(read_field(thing, "type"), str)


def _part(block: Any) -> Iterator[str | Image]:
    kind = _kind(block)
    if isinstance(block, str) or kind == "text":
        yield block if isinstance(block, str) else str(read_field(block, "text") or "")
    elif kind == "image":
        yield _image(read_field(block, "source"))
    elif kind not in _NOT_CONTENT:
        yield _as_json(block)


def _image(source: Any) -> str | Image:
    data, url = read_field(source, "data"), read_field(source, "url")
    if isinstance(data, str) and data:
        media_type = read_field(source, "media_type") or "image/jpeg"
        return Image(f"data:{media_type};base64,{data}")
    return Image(url) if isinstance(url, str) and url else "[image omitted]"


def _as_json(value: Any) -> str:
    plain = value.model_dump() if hasattr(value, "model_dump") else value
    return json.dumps(plain, ensure_ascii=False, default=str)
