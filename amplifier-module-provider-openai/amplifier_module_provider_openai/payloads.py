"""Payloads of the events of one `complete()`; keys are the contract, see the README."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from amplifier_core.llm_errors import LLMError
from amplifier_core.message_models import ChatRequest, Usage
from amplifier_core.utils import redact_secrets

from .asked import thinking_budget
from .native import status_of, words_of
from .reply import Reply

if TYPE_CHECKING:
    from .completion import Completion
    from .provider import OpenAIProvider


def wants_stream(request: ChatRequest, provider: OpenAIProvider) -> bool:
    """Streaming as configured, unless the request's metadata says `stream: False`."""
    return provider.use_streaming and (request.metadata or {}).get("stream") is not False


def request_payload(call: Completion, params: dict[str, Any]) -> dict[str, Any]:
    """`llm:request`, once per call."""
    payload = {
        "provider": call.provider.name,
        "model": call.model,
        "request_id": call.request_id,
        "message_count": len(call.request.messages),
        "has_instructions": any(message.role == "system" for message in call.request.messages),
        "reasoning_enabled": not params.keys().isdisjoint({"reasoning", "reasoning_effort"}),
        "thinking_enabled": bool(call.options.get("extended_thinking")),
        "thinking_budget": thinking_budget(call.options, call.provider.settings),
        "background_mode": call.background,
    }
    if call.provider.raw:
        payload["raw"] = redact_secrets(params)
    return payload


def response_payload(call: Completion, reply: Reply, begun: float) -> dict[str, Any]:
    """`llm:response` of a success; `duration_ms` covers all attempts."""
    payload = {
        "provider": call.provider.name,
        "model": call.model,
        "request_id": call.request_id,
        "usage": _usage(reply.response.usage),
        "status": "ok",
        "duration_ms": _since(begun),
        "continuation_count": reply.continuation_count,
    }
    if call.provider.raw:
        payload["raw"] = redact_secrets(reply.raw())
    if reply.rate_limits:
        payload["rate_limits"] = reply.rate_limits
    return payload


def failure_payload(call: Completion, error: LLMError, begun: float) -> dict[str, Any]:
    """`llm:response` of a failure; with `usage` where an answer came that could not be used."""
    payload = {
        "provider": call.provider.name,
        "model": call.model,
        "request_id": call.request_id,
        "status": "error",
        "duration_ms": _since(begun),
        "error": words_of(error),
    }
    return payload if call.spent is None else {**payload, "usage": _usage(call.spent)}


def retry_payload(call: Completion, attempt: int, delay: float, error: LLMError) -> dict[str, Any]:
    """`provider:retry`; `attempt` counts from 1, `delay` is in seconds."""
    return {
        "provider": call.provider.name,
        "attempt": attempt,
        "max_retries": call.provider.retry_config.max_retries,
        "delay": delay,
        "error_type": type(error).__name__,
        "error_message": str(error),
    }


def fallback_payload(call: Completion, reason: str, error: Exception) -> dict[str, Any]:
    """`provider:protocol_fallback`, once per server."""
    return {
        "provider": call.provider.name,
        "model": call.model,
        "base_url": call.endpoint.base_url,
        "from": "responses",
        "to": "chat_completions",
        "reason": reason,
        "status_code": status_of(error),
    }


def dump_of(response: Any) -> Callable[[], Any]:
    """Makes the `raw` field from an SDK object or a mapping, when it is wanted."""
    if isinstance(response, Mapping):
        return lambda: dict(response)
    return response.model_dump if hasattr(response, "model_dump") else dict


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0, "cost_usd": None}
    payload: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": None if usage.cost_usd is None else str(usage.cost_usd),
    }
    if usage.cache_read_tokens is not None:
        payload["cache_read_tokens"] = usage.cache_read_tokens
    return payload


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
