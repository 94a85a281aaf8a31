"""Responses answers → ChatResponse, from SDK objects, plain mappings or anything like them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplifier_core.message_models import ChatResponse, ThinkingBlock, Usage

from . import _constants as key
from .answer import Answer, OpenAIChatResponse, count
from .apply_patch import NAME as APPLY_PATCH
from .history import read_field
from .tool_calls import (
    Call,
    arguments_text,
    cut_calls,
    malformed_calls,
    read_arguments,
    warn_if_malformed,
    with_unique_ids,
)

_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}


@dataclass
class Continued:
    """A response that took several calls, in the shape of one; tokens are those of all calls."""

    last: Any
    output: list[Any]
    usages: list[Any]
    continuation_count: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.last, name)


@dataclass
class _Conversion:
    """An answer in the making; `last` is the item at which the output limit has cut in."""

    answer: Answer = field(default_factory=lambda: Answer(strips=True))
    calls: list[tuple[Call, Any]] = field(default_factory=list)
    reasoning_ids: list[str] = field(default_factory=list)
    native_call_ids: set[str] = field(default_factory=set)
    needing_arguments: set[str] = field(default_factory=set)
    refused: bool = False
    at_limit: bool = False
    last: Any = None


def convert_response(
    response: Any,
    *,
    native_call_ids: set[str] | None = None,
    response_class: type[ChatResponse] = OpenAIChatResponse,
) -> ChatResponse:
    """The whole answer; ids of native apply_patch calls are added to `native_call_ids`.

    Of calls that were cut off it has nothing but a note in its metadata.
    """
    items = list(read_field(response, "output") or [])
    conversion = _Conversion(native_call_ids=set() if native_call_ids is None else native_call_ids)
    if items and _incomplete_reason(response) == "max_output_tokens":
        conversion.at_limit, conversion.last = True, items[-1]
        conversion.needing_arguments = _needing_arguments(response)
    for item in items:
        _add_item(conversion, item)
    return conversion.answer.build(
        usage=_usage(response),
        finish_reason=_finish_reason(response, conversion),
        metadata=_metadata(response, conversion),
        output_text=_output_text(response),
        response_class=response_class,
    )


def convert_response_with_accumulated_output(
    final_response: Any,
    accumulated_output: list[Any],
    continuation_count: int,
    chat_response_class: type[ChatResponse],
) -> ChatResponse:
    """One answer from the output of several calls; usage is that of the last one."""
    usages = [read_field(final_response, "usage")]
    merged = Continued(final_response, accumulated_output, usages, continuation_count)
    return convert_response(merged, response_class=chat_response_class)


def extract_reasoning_text(reasoning_summary: Any) -> str | None:
    """Text of a reasoning summary: a string, an object with `text`, or a list of these."""
    if isinstance(reasoning_summary, str):
        return reasoning_summary or None
    if isinstance(reasoning_summary, list):
        texts = [extract_reasoning_text(part) for part in reasoning_summary]
        return "\n".join(text for text in texts if text) or None
    text = read_field(reasoning_summary, "text")
    return text if isinstance(text, str) and text else None


def _output_text(response: Any) -> str | None:
    """As the SDK's property of this name has it, which knows one call only."""
    text = None if isinstance(response, Continued) else read_field(response, "output_text")
    return text if isinstance(text, str) else None


def without_ids(answer: ChatResponse) -> ChatResponse:
    """The answer without what only the server that gave it could be asked for again."""
    for name in (key.METADATA_RESPONSE_ID, key.METADATA_REASONING_ITEMS):
        (answer.metadata or {}).pop(name, None)
    for block in answer.content:
        if isinstance(block, ThinkingBlock):
            block.content = None
    return answer


def _add_item(conversion: _Conversion, item: Any) -> None:
    kind = read_field(item, "type")
    if kind == "message":
        _add_message(conversion, item)
    elif kind == "reasoning":
        _add_reasoning(conversion, item)
    elif kind in {"function_call", "tool_call"}:
        _add_call(conversion, item)
    elif kind == "apply_patch_call":
        _add_patch(conversion, item)


def _add_message(conversion: _Conversion, item: Any) -> None:
    content = read_field(item, "content")
    if isinstance(content, str):
        conversion.answer.add_text(content, raw=_raw(item))
        return
    for part in content if isinstance(content, list) else []:
        kind = read_field(part, "type")
        if kind == "output_text":
            conversion.answer.add_text(read_field(part, "text") or "", raw=_raw(part))
        elif kind == "refusal":
            conversion.refused = True
            conversion.answer.add_text(read_field(part, "refusal") or "", raw=_raw(part))


def _add_reasoning(conversion: _Conversion, item: Any) -> None:
    item_id, encrypted = read_field(item, "id"), read_field(item, "encrypted_content")
    if item_id:
        conversion.reasoning_ids.append(item_id)
    texts = (extract_reasoning_text(read_field(item, name)) for name in _reasoning_fields())
    text = next((text for text in texts if text), None)
    if text or encrypted:
        conversion.answer.add_thinking(text or "", state=[encrypted, item_id])


def _reasoning_fields() -> Iterator[str]:
    """Where reasoning is written: OpenAI summarises, local servers give the text itself."""
    yield from ("summary", "text", "content")


def _add_call(conversion: _Conversion, item: Any) -> None:
    arguments, malformed = read_arguments(_given(item))
    call_id = read_field(item, "call_id") or read_field(item, "id") or ""
    call = Call(str(call_id), str(read_field(item, "name") or ""), arguments, malformed)
    _add_checked(conversion, call, item)


def _given(item: Any) -> Any:
    """The arguments of a call as they came."""
    names = ("input", "arguments", "operation")
    return next((raw for name in names if (raw := read_field(item, name)) is not None), None)


def _add_patch(conversion: _Conversion, item: Any) -> None:
    operation = read_field(item, "operation")
    wanted = {name: read_field(operation, name) for name in ("type", "path", "diff")}
    arguments = {name: value for name, value in wanted.items() if value is not None}
    call_id = str(read_field(item, "call_id") or read_field(item, "id") or "")
    conversion.native_call_ids.add(call_id)
    _add_checked(conversion, Call(call_id, APPLY_PATCH, arguments), item)


def _add_checked(conversion: _Conversion, call: Call, item: Any) -> None:
    conversion.calls.append((call, item))
    with_unique_ids([known for known, _ in conversion.calls])
    if _is_cut(conversion, call, item):
        given = _given(item)
        call.cut = arguments_text(given) if isinstance(given, dict) else str(given or "")
        return
    warn_if_malformed(call)
    conversion.answer.add_call(call, raw=_raw(item))


def _is_cut(conversion: _Conversion, call: Call, item: Any) -> bool:
    """Whether a call may lack its end: by its status, or as the last one before the limit.

    OpenAI calls a whole item completed; who else does may have cut it right behind its name:
    vLLM (0.32.0) streams {} then, whatever the tool needs.
    """
    status = read_field(item, "status")
    if status == "incomplete":
        return True
    lacking = call.name in conversion.needing_arguments
    whole = status == "completed" and _given(item) and not lacking
    empty = not call.arguments and not whole and item is conversion.last
    return conversion.at_limit and (empty or call.malformed is not None)


def _needing_arguments(response: Any) -> set[str]:
    """Names of the tools that no call without arguments fits; a response lists its tools."""
    tools = read_field(response, "tools")
    return {
        str(read_field(tool, "name"))
        for tool in (tools if isinstance(tools, list) else [])
        if read_field(read_field(tool, "parameters"), "required")
    }


def _raw(item: Any) -> Any:
    return item if isinstance(item, Mapping) else None


def _usage(response: Any) -> Usage:
    usages = read_field(response, "usages") if isinstance(response, Continued) else None
    counted = [usage for usage in usages or [read_field(response, "usage")] if usage is not None]
    prompt, completion = _sum(counted, "input_tokens"), _sum(counted, "output_tokens")
    return Usage(
        input_tokens=prompt or 0,
        output_tokens=completion or 0,
        total_tokens=(prompt or 0) + (completion or 0),
        reasoning_tokens=_sum(counted, "output_tokens_details", "reasoning_tokens"),
        cache_read_tokens=_sum(counted, "input_tokens_details", "cached_tokens"),
    )


def _sum(usages: list[Any], *path: str) -> int | None:
    """The sum of a figure over all calls; None when no call gives it."""
    figures = []
    for usage in usages:
        value = usage
        for name in path:
            value = read_field(value, name)
        figures.append(count(value))
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def _incomplete_reason(response: Any) -> str | None:
    if read_field(response, "status") != "incomplete":
        return None
    reason = read_field(read_field(response, "incomplete_details"), "reason")
    return reason if isinstance(reason, str) else None


def _finish_reason(response: Any, conversion: _Conversion) -> str:
    given = read_field(response, "finish_reason")
    if isinstance(given, str):
        return given
    if reason := _incomplete_reason(response):
        return _INCOMPLETE.get(reason, reason)
    return "tool_calls" if conversion.answer.calls else "stop"


def _metadata(response: Any, conversion: _Conversion) -> dict[str, Any]:
    continuations = read_field(response, "continuation_count")
    cut = cut_calls(call for call, _ in conversion.calls)
    metadata = {
        # OpenAI goes on from a stored answer if each of its calls has a result; a cut one has none.
        key.METADATA_RESPONSE_ID: None if cut else read_field(response, "id"),
        key.METADATA_STATUS: read_field(response, "status"),
        key.METADATA_INCOMPLETE_REASON: _incomplete_reason(response),
        key.METADATA_REASONING_ITEMS: conversion.reasoning_ids or None,
        key.METADATA_CONTINUATION_COUNT: count(continuations) or None,
        key.METADATA_REFUSAL: conversion.refused or None,
        key.METADATA_MALFORMED_TOOL_CALLS: malformed_calls(call for call, _ in conversion.calls),
        key.METADATA_CUT_TOOL_CALLS: cut,
    }
    return {name: value for name, value in metadata.items() if value is not None}
