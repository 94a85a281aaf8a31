"""An assembled Chat Completions answer → ChatResponse."""

from __future__ import annotations

import logging
from typing import Any

from amplifier_core.message_models import ChatResponse, Usage

from . import _constants as key
from .answer import Answer, count
from .broken import BrokenAnswerError
from .chat_stream import Assembly, Block
from .tool_calls import (
    Call,
    cut_calls,
    malformed_calls,
    read_arguments,
    warn_if_malformed,
    with_unique_ids,
)

logger = logging.getLogger(__name__)
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
# OpenRouter and vLLM end so what they could not finish.
_FAILED = frozenset({"error", "abort"})
_MARKUP = "<tool_call>"


def chat_response(assembly: Assembly, *, streamed: bool) -> ChatResponse:
    """Raises BrokenAnswerError for a stream cut off; a call cut off is in the metadata only."""
    _refuse_unfinished(assembly.finish_reason, streamed=streamed)
    calls = _read_calls(assembly)
    answer = Answer(separator="")
    for block in assembly.blocks:
        _add(answer, block, calls)
    _warn_of_oddities(assembly, answer)
    return answer.build(
        usage=_usage(assembly.usage or {}),
        finish_reason=_finish_reason(assembly.finish_reason, answer),
        metadata=_metadata(assembly, list(calls.values())),
    )


def _refuse_unfinished(finish_reason: str | None, *, streamed: bool) -> None:
    if streamed and finish_reason is None:
        raise BrokenAnswerError(
            "the stream ended without a finish reason: the answer is cut off", truncated=True
        )
    if finish_reason in _FAILED:
        raise BrokenAnswerError(
            f"the server ended the answer with {finish_reason!r}", truncated=True
        )


def _read_calls(assembly: Assembly) -> dict[Block, Call]:
    named = [block for block in assembly.blocks if block.kind == "tool_use"]
    calls = {block: _read_call(block, assembly.finish_reason) for block in named}
    with_unique_ids(list(calls.values()))
    return calls


def _read_call(block: Block, finish_reason: str | None) -> Call:
    raw = block.text.getvalue()
    arguments, malformed = read_arguments(raw)
    call = Call(block.call_id, block.name, arguments, malformed)
    # vLLM (0.32.0) streams {} for a call that was cut right behind its name.
    if finish_reason == "length" and not arguments:
        call.cut = raw
    else:
        warn_if_malformed(call)
    return call


def _add(answer: Answer, block: Block, calls: dict[Block, Call]) -> None:
    text, call = block.text.getvalue(), calls.get(block)
    if call is not None:
        if call.cut is None:
            answer.add_call(call)
    elif block.kind == "thinking":
        answer.add_thinking(text)
    else:
        answer.add_text(text)


def _warn_of_oddities(assembly: Assembly, answer: Answer) -> None:
    for block in assembly.calls:
        if not block.name:
            arguments = block.text.getvalue()
            logger.warning("Dropped a tool call without a name; its arguments: %.200s", arguments)
    _warn_of_nothing(assembly, answer)
    _warn_of_markup(answer)


def _warn_of_nothing(assembly: Assembly, answer: Answer) -> None:
    if not (answer.content or assembly.calls):
        logger.warning(
            "The answer is empty. LM Studio answers so when the prompt is longer than the "
            "context; a model may also have nothing to say."
        )


def _warn_of_markup(answer: Answer) -> None:
    if not answer.calls and any(_MARKUP in text for text in answer.texts):
        logger.warning(
            "The answer has %s markup in its text: the server did not parse the tool call. "
            "Start it with its tool call parser on.",
            _MARKUP,
        )


def _finish_reason(given: str | None, answer: Answer) -> str:
    if given in {None, "stop", "function_call"}:
        return "tool_calls" if answer.calls else "stop"
    return str(given)


def _usage(usage: dict[str, Any]) -> Usage:
    prompt = count(usage.get("prompt_tokens")) or 0
    completion = count(usage.get("completion_tokens")) or 0
    prompt_details = usage.get("prompt_tokens_details") or {}
    completion_details = usage.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=prompt,
        output_tokens=completion,
        total_tokens=count(usage.get("total_tokens")) or prompt + completion,
        cache_read_tokens=count(prompt_details.get("cached_tokens")),
        reasoning_tokens=count(completion_details.get("reasoning_tokens")),
    )


def _metadata(assembly: Assembly, calls: list[Call]) -> dict[str, Any]:
    """What the session keeps; never the response's id, which Responses would take for its own."""
    reason = _INCOMPLETE.get(assembly.finish_reason or "")
    metadata = {
        key.METADATA_API_MODE: "chat_completions",
        key.METADATA_STATUS: "incomplete" if reason else "completed",
        key.METADATA_INCOMPLETE_REASON: reason,
        key.METADATA_REFUSAL: assembly.refused or None,
        key.METADATA_MALFORMED_TOOL_CALLS: malformed_calls(calls),
        key.METADATA_CUT_TOOL_CALLS: cut_calls(calls),
    }
    return {name: value for name, value in metadata.items() if value is not None}


def raw_completion(assembly: Assembly, response: ChatResponse) -> dict[str, Any]:
    """A streamed answer in the shape of a whole one, for the `raw` field of events."""
    message = {
        "role": "assistant",
        "content": "".join(b.text.getvalue() for b in assembly.blocks if b.kind == "text"),
        "reasoning": "".join(b.text.getvalue() for b in assembly.blocks if b.kind == "thinking"),
        "tool_calls": [call.model_dump() for call in response.tool_calls or []],
    }
    choice = {"index": 0, "message": message, "finish_reason": assembly.finish_reason}
    return {
        "id": assembly.response_id,
        "object": "chat.completion",
        "model": assembly.model,
        "choices": [choice],
        "usage": assembly.usage,
    }
