"""ChatRequest → the parameters of a Responses request."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import ChatRequest

from . import apply_patch
from ._capabilities import ModelCapabilities
from ._constants import (
    DEFAULT_MAX_TOKENS,
    DEFAULT_PROMPT_CACHE_RETENTION,
    METADATA_RESPONSE_ID,
    NATIVE_TOOL_TYPES,
    PROVIDER_NAME,
)
from .asked import asked_reasoning, asked_switch, first, named_schema, thinking_budget
from .config import Settings
from .endpoint import Endpoint
from .history import read_field, text_of
from .tool_choice import Offer, named_tool

logger = logging.getLogger(__name__)
_ENCRYPTED = "reasoning.encrypted_content"
_PRO = "gpt-5.5-pro"
_PRO_EFFORTS = ("medium", "high", "xhigh")


def _validate_gpt_5_5_pro_effort(model: str, reasoning: Any) -> None:
    """Raises InvalidRequestError for an effort that gpt-5.5-pro would refuse."""
    effort = reasoning.get("effort") if isinstance(reasoning, Mapping) else reasoning
    if not model.startswith(_PRO) or effort is None or effort in _PRO_EFFORTS:
        return
    raise kernel.InvalidRequestError(
        f"{model} does not take reasoning effort {effort!r}; use one of {', '.join(_PRO_EFFORTS)}.",
        provider=PROVIDER_NAME,
        model=model,
    )


def reasoning_of(
    request: ChatRequest, options: Mapping[str, Any], settings: Settings
) -> dict[str, Any] | None:
    """{effort, summary} as asked for by options, request or config; None if nobody asked."""
    asked = asked_reasoning(request, options, settings)
    if asked is None and options.get("extended_thinking"):
        asked = "high"
    if asked is None:
        return None
    wanted = asked if isinstance(asked, Mapping) else {"effort": asked}
    return {
        "effort": wanted.get("effort", "medium"),
        "summary": wanted.get("summary", settings.reasoning_summary),
    }


def output_limit(
    request: ChatRequest, options: Mapping[str, Any], settings: Settings, standard: int | None
) -> int | None:
    """`max_output_tokens`: room for the thinking budget included; None stays no limit."""
    limit: int | None = first(
        request.max_output_tokens, options.get("max_tokens"), settings.max_tokens, standard
    )
    budget = thinking_budget(options, settings)
    if not budget or limit is None:
        return limit
    buffer: int = options.get("thinking_budget_buffer") or settings.thinking_budget_buffer
    return max(limit, budget + buffer)


def is_chaining(
    options: Mapping[str, Any],
    capabilities: ModelCapabilities,
    *,
    setting: Literal["auto"] | bool,
) -> bool:
    """Whether turns are linked on OpenAI's side: by option, config, or for reasoning models."""
    wanted = asked_switch(options, "enable_response_chaining", setting)
    return capabilities.supports_reasoning if wanted == "auto" else wanted


def previous_response_id(messages: Iterable[Any]) -> str | None:
    """The id of the newest answer that OpenAI stored."""
    for message in reversed(list(messages)):
        metadata = read_field(message, "metadata")
        if read_field(message, "role") == "assistant" and isinstance(metadata, Mapping):
            response_id = metadata.get(METADATA_RESPONSE_ID)
            if response_id:
                return str(response_id)
    return None


@dataclass(frozen=True, kw_only=True)
class ResponsesContext:
    """What a request depends on besides itself."""

    model: str
    capabilities: ModelCapabilities
    endpoint: Endpoint
    chaining: Literal["auto"] | bool
    skip_chain: bool = False


def request_params(
    request: ChatRequest,
    options: Mapping[str, Any],
    settings: Settings,
    context: ResponsesContext,
    *,
    items: list[dict[str, Any]],
    offer: Offer,
    previous: str | None = None,
) -> dict[str, Any]:
    """Keyword arguments of `client.responses.create`; absent rather than None.

    `options` are the keyword arguments of `complete()`, `offer` has its tools in wire form,
    `previous` is the answer that OpenAI is to go on from. What only OpenAI knows is sent to
    its own hosts and Azure, elsewhere only when configured.
    """
    params = {
        "model": context.model,
        "input": items,
        "instructions": instructions_of(request.messages),
        "text": text_format(request.response_format),
        "previous_response_id": previous,
        **_sampling_params(request, options, settings, context),
        **_state_params(request, options, settings, context),
        **_tool_params(options, settings, offer, custom=context.endpoint.is_custom),
        **_cache_params(options, settings, context),
        "extra_body": settings.extra_request_params or None,
    }
    return {key: value for key, value in params.items() if value is not None}


def _sampling_params(
    request: ChatRequest,
    options: Mapping[str, Any],
    settings: Settings,
    context: ResponsesContext,
) -> dict[str, Any]:
    limit = None if context.endpoint.is_custom else DEFAULT_MAX_TOKENS
    return {
        "max_output_tokens": output_limit(request, options, settings, limit),
        "temperature": first(request.temperature, options.get("temperature"), settings.temperature),
        "top_p": first(request.top_p, settings.top_p),
    }


def _state_params(
    request: ChatRequest,
    options: Mapping[str, Any],
    settings: Settings,
    context: ResponsesContext,
) -> dict[str, Any]:
    """Reasoning, and what OpenAI is to keep of it and of the answer for the next turn."""
    store = _is_stored(options, settings, context)
    reasoning = reasoning_of(request, options, settings)
    return {
        "store": True if store else None if context.endpoint.is_custom else False,
        "background": bool(options.get("background")) or None,
        "reasoning": reasoning or _unasked_reasoning(context),
        "include": options.get("include") or _include(reasoning, context, stored=store),
    }


def _is_stored(options: Mapping[str, Any], settings: Settings, context: ResponsesContext) -> bool:
    configured = settings.enable_state and not context.endpoint.is_custom
    if first(options.get("store"), configured) or options.get("background"):
        return True
    capabilities, setting = context.capabilities, context.chaining
    return not context.endpoint.is_custom and is_chaining(options, capabilities, setting=setting)


def linked_response(
    request: ChatRequest,
    options: Mapping[str, Any],
    settings: Settings,
    context: ResponsesContext,
) -> str | None:
    """The id of the stored answer that OpenAI is to go on from; None for none."""
    if context.endpoint.is_custom or context.skip_chain:
        return None
    stored = _is_stored(options, settings, context)
    return previous_response_id(request.messages) if stored else None


def _unasked_reasoning(context: ResponsesContext) -> dict[str, str] | None:
    reasons = context.capabilities.default_reasoning_effort is not None
    return {"summary": "auto"} if reasons and not context.endpoint.is_custom else None


def _include(
    reasoning: dict[str, Any] | None, context: ResponsesContext, *, stored: bool
) -> list[str] | None:
    """Encrypted reasoning is wanted back when OpenAI stores nothing and the model reasons."""
    if stored or context.endpoint.is_custom:
        return None
    if reasoning is None:
        return [_ENCRYPTED] if context.capabilities.supports_reasoning else None
    return [_ENCRYPTED] if reasoning["effort"] not in {None, "none"} else None


def _tool_params(
    options: Mapping[str, Any], settings: Settings, offer: Offer, *, custom: bool
) -> dict[str, Any]:
    if not offer.tools:
        return {}
    return {
        "tools": offer.tools,
        "tool_choice": responses_tool_choice(first(offer.choice, None if custom else "auto")),
        "parallel_tool_calls": first(
            options.get("parallel_tool_calls"),
            settings.parallel_tool_calls,
            offer.parallel,
            None if custom else True,
        ),
        "max_tool_calls": options.get("max_tool_calls"),
    }


def _cache_params(
    options: Mapping[str, Any], settings: Settings, context: ResponsesContext
) -> dict[str, Any]:
    retention = first(options.get("prompt_cache_retention"), settings.prompt_cache_retention)
    if context.endpoint.is_custom and retention == DEFAULT_PROMPT_CACHE_RETENTION:
        retention = None
    return {
        "truncation": options.get("truncation", settings.truncation),
        "prompt_cache_key": first(options.get("prompt_cache_key"), settings.prompt_cache_key),
        "safety_identifier": first(options.get("safety_identifier"), settings.safety_identifier),
        "prompt_cache_retention": _supported_retention(retention, context),
    }


def _supported_retention(retention: str | None, context: ResponsesContext) -> str | None:
    supported = {
        "24h": context.capabilities.supports_24h_retention,
        "in_memory": context.capabilities.supports_in_memory_retention,
    }
    if retention is None or supported.get(retention, True):
        return retention
    logger.warning(
        "Dropped prompt_cache_retention=%r: %s does not support it", retention, context.model
    )
    return None


def instructions_of(messages: Iterable[Any]) -> str | None:
    """Text of all system messages, wherever they stand."""
    texts = [
        text_of(read_field(m, "content")) for m in messages if read_field(m, "role") == "system"
    ]
    return "\n\n".join(text for text in texts if text) or None


def responses_tools(specs: Iterable[Any], *, native_apply_patch: bool) -> list[dict[str, Any]]:
    """Function tools in flat form; OpenAI's hosted tools as they are."""
    return [_tool(spec, native_apply_patch=native_apply_patch) for spec in specs]


def _tool(spec: Any, *, native_apply_patch: bool) -> dict[str, Any]:
    if isinstance(spec, Mapping) and spec.get("type") in NATIVE_TOOL_TYPES:
        return dict(spec)
    name = read_field(spec, "name")
    if name == apply_patch.NAME and native_apply_patch:
        return {"type": apply_patch.NAME}
    tool = {
        "type": "function",
        "name": name,
        "description": read_field(spec, "description") or "",
        "parameters": read_field(spec, "parameters"),
    }
    strict = read_field(spec, "strict")
    return {**tool, "strict": strict} if isinstance(strict, bool) else tool


def responses_tool_choice(choice: Any) -> Any:
    """A choice in Responses' flat shape, from a word or either protocol's mapping."""
    name = named_tool(choice)
    return {"type": "function", "name": name} if name else choice


def text_format(wanted: Any) -> dict[str, Any] | None:
    """The `text` parameter for an output format; None for plain text."""
    kind = read_field(wanted, "type")
    if kind == "json":
        return {"format": {"type": "json_object"}}
    if kind != "json_schema":
        return None
    return {"format": {"type": "json_schema", **named_schema(wanted)}}
