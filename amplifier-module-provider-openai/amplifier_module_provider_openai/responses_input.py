"""Amplifier's history as the `input` items of a Responses request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from . import apply_patch
from ._constants import METADATA_REASONING_ITEMS
from .history import Image, Turn, answered_calls, read_field, read_turns
from .repair import missing_result
from .tool_calls import Call, arguments_text

Item = dict[str, Any]


@dataclass
class InputWriter:
    """Writes items; `native_call_ids` are those of OpenAI's own apply_patch tool.

    `with_reasoning` replays encrypted reasoning. `explicit_types` is for other vendors' servers:
    assistant messages in the long form, every call that of a function. `mends` gives each call
    an id of its own and exactly one result; a result without its call becomes the user's words,
    unless the request is `linked` to answers that OpenAI has stored: one of them may have it.
    """

    native_call_ids: set[str] = field(default_factory=set)
    with_reasoning: bool = True
    explicit_types: bool = False
    mends: bool = False
    linked: bool = False
    _answered_ids: set[str] = field(default_factory=set, init=False)

    def write(self, messages: Iterable[Any]) -> list[Item]:
        """All items: developer messages first, then the conversation; system ones left out."""
        messages = list(messages)
        self.with_reasoning = self.with_reasoning and _has_state(messages)
        turns = read_turns(messages)
        if self.linked:
            self._answered_ids = {call.id for turn in turns for call in turn.calls}
        ordered = [turn for turn in turns if turn.role == "developer"]
        ordered += [turn for turn in turns if turn.role not in {"developer", "system"}]
        return [item for turn in ordered for item in self._items(turn)]

    def _items(self, turn: Turn) -> list[Item]:
        if turn.role == "developer":
            text = f"<context_file>\n{turn.text}\n</context_file>"
            return self._user([text]) if turn.text else []
        if turn.role == "assistant":
            return self._assistant(turn)
        return self._result(turn) if turn.role == "tool" else self._user(turn.parts)

    def _assistant(self, turn: Turn) -> list[Item]:
        items = [item for block in turn.thoughts for item in self._reasoning(block)]
        texts = [part for part in turn.parts if isinstance(part, str) and part]
        if texts:
            items.append(self._message(texts))
        if self.mends:
            return [*items, *self._answered(turn)]
        items += [self._call(call) for call in turn.calls]
        items += [item for result in turn.results for item in self._result(result)]
        return items

    def _answered(self, turn: Turn) -> list[Item]:
        """Calls, then results, then images: some servers take the user's word for a turn's end."""
        calls: list[Item] = []
        results: list[Item] = []
        for call, result in answered_calls(turn):
            text = missing_result(call.name, call.id) if result is None else result.text
            calls.append(self._call(call))
            native = calls[-1]["type"] == apply_patch.CALL
            results.append(_output_item(call.id, text, native=native))
        images = [image for result in turn.results for image in result.images]
        return [*calls, *results, *self._user(images)]

    def _message(self, texts: list[str]) -> Item:
        if not self.explicit_types:
            content = [{"type": "output_text", "text": text} for text in texts]
            return {"role": "assistant", "content": content}
        return {
            "type": "message",
            "id": f"msg_{uuid4().hex}",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []} for text in texts],
        }

    def _reasoning(self, block: Any) -> list[Item]:
        encrypted, item_id = _state(block)
        if not self.with_reasoning or not item_id:
            return []
        item: Item = {"type": "reasoning", "id": item_id, "summary": []}
        if encrypted:
            item["encrypted_content"] = encrypted
        summary = read_field(block, "thinking")
        if summary:
            item["summary"] = [{"type": "summary_text", "text": summary}]
        return [item]

    def _user(self, parts: Iterable[str | Image]) -> list[Item]:
        content = [_user_part(part) for part in parts if part]
        if not content:
            return []
        kind = {"type": "message"} if self.explicit_types else {}
        return [{**kind, "role": "user", "content": content}]

    def _call(self, call: Call) -> Item:
        if apply_patch.is_operation(call) and not self.explicit_types:
            self.native_call_ids.add(call.id)
            return apply_patch.call_item(call)
        return {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": arguments_text(call.arguments),
        }

    def _result(self, turn: Turn) -> list[Item]:
        if not turn.call_id or (self.mends and not self._may_be_stored(turn.call_id)):
            return self._user([f"[Tool: {turn.name or 'unknown'}]\n{turn.text}", *turn.images])
        native = turn.call_id in self.native_call_ids
        output = _output_item(turn.call_id, turn.text, native=native)
        return [output, *self._user([] if native else turn.images)]

    def _may_be_stored(self, call_id: str) -> bool:
        """Whether OpenAI may have the call of a result, and has had no result of it yet."""
        if not self.linked or call_id in self._answered_ids:
            return False
        self._answered_ids.add(call_id)
        return True


def _output_item(call_id: str, text: str, *, native: bool) -> Item:
    if native:
        return apply_patch.output_item(call_id, text)
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def _user_part(part: str | Image) -> Item:
    if isinstance(part, Image):
        return {"type": "input_image", "image_url": part.url}
    return {"type": "input_text", "text": part}


def _state(block: Any) -> tuple[str | None, str | None]:
    """(encrypted content, item id) that OpenAI wants back, from either form in use."""
    content = read_field(block, "content")
    if not isinstance(content, list) or not content:
        return None, None
    if isinstance(content[0], Mapping):
        return content[0].get("encrypted_content"), content[0].get("id")
    return (content[0], content[1]) if len(content) > 1 else (None, None)


def _has_state(messages: list[Any]) -> bool:
    """False when OpenAI kept the reasoning to itself: then its items can't be referred to."""
    metadata = [read_field(message, "metadata") or {} for message in messages]
    if not any(entry.get(METADATA_REASONING_ITEMS) for entry in metadata):
        return True
    blocks = [block for turn in read_turns(messages) for block in turn.thoughts]
    return any(_state(block)[0] for block in blocks)
