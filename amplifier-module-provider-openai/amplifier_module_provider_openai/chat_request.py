"""ChatRequest → the body of a Chat Completions request."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from amplifier_core.message_models import ChatRequest

from ._constants import NATIVE_TOOL_TYPES
from .asked import asked_reasoning, first, named_schema
from .chat_messages import chat_messages
from .config import Settings
from .endpoint import Endpoint
from .history import read_field
from .tool_choice import named_tool, offer_of

logger = logging.getLogger(__name__)
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}
_UNSET_EFFORTS = frozenset({None, "", "none"})


def chat_params(
    request: ChatRequest,
    options: Mapping[str, Any],
    settings: Settings,
    *,
    model: str,
    endpoint: Endpoint,
) -> dict[str, Any]:
    """The body; a key is there only if it says something, since local servers choke on nulls.

    `options` are the keyword arguments of `complete()`. Precedence: request, options, config.
    """
    body = {
        "model": model,
        "messages": chat_messages(request.messages, settings.reasoning_replay),
        "temperature": first(request.temperature, options.get("temperature"), settings.temperature),
        "top_p": first(request.top_p, settings.top_p),
        "seed": first(read_field(request, "seed"), settings.seed),
        "stop": request.stop or settings.stop,
        "response_format": response_format(request.response_format),
        "reasoning_effort": _effort(request, options, settings),
        **_limit_param(request, options, settings, endpoint),
        **_tool_params(request, options, settings, custom=endpoint.is_custom),
    }
    body.update(settings.extra_request_params or {})
    return {key: value for key, value in body.items() if value is not None}


def _tool_params(
    request: ChatRequest, options: Mapping[str, Any], settings: Settings, *, custom: bool
) -> dict[str, Any]:
    offer = offer_of(request, options, custom=custom)
    tools = chat_tools(offer.tools)
    if not tools:
        return {}
    return {
        "tools": tools,
        "tool_choice": chat_tool_choice(offer.choice),
        "parallel_tool_calls": first(
            options.get("parallel_tool_calls"), settings.parallel_tool_calls, offer.parallel
        ),
    }


def chat_tools(specs: Iterable[Any]) -> list[dict[str, Any]]:
    """Function tools; what only OpenAI can host is left out, with a warning."""
    tools = []
    for spec in specs:
        kind, name = read_field(spec, "type"), read_field(spec, "name")
        if kind in NATIVE_TOOL_TYPES and name != "apply_patch":
            logger.warning("Left out tool %r: Chat Completions has function tools only", kind)
        elif isinstance(name, str):
            tools.append({"type": "function", "function": _function(spec, name)})
        elif isinstance(spec, Mapping) and isinstance(spec.get("function"), Mapping):
            tools.append(dict(spec))
    return tools


def _function(spec: Any, name: str) -> dict[str, Any]:
    function = {
        "name": name,
        "description": read_field(spec, "description") or "",
        "parameters": read_field(spec, "parameters") or _NO_PARAMETERS,
    }
    strict = read_field(spec, "strict")
    return {**function, "strict": strict} if isinstance(strict, bool) else function


def chat_tool_choice(choice: Any) -> Any:
    """A choice in Chat's shape, from a word, either protocol's mapping, or None."""
    name = named_tool(choice)
    return {"type": "function", "function": {"name": name}} if name else choice


def response_format(wanted: Any) -> dict[str, Any] | None:
    """The `response_format`; None for plain text. A schema may come already wrapped."""
    kind = read_field(wanted, "type")
    if kind == "json":
        return {"type": "json_object"}
    if kind != "json_schema":
        return None
    return {"type": "json_schema", "json_schema": named_schema(wanted)}


def _limit_param(
    request: ChatRequest, options: Mapping[str, Any], settings: Settings, endpoint: Endpoint
) -> dict[str, Any]:
    limit = first(request.max_output_tokens, options.get("max_tokens"), settings.max_tokens)
    return {"max_tokens" if endpoint.is_custom else "max_completion_tokens": limit}


def _effort(request: ChatRequest, options: Mapping[str, Any], settings: Settings) -> str | None:
    """The effort somebody asked for; none is sent unasked, since few local servers know it."""
    effort = asked_reasoning(request, options, settings)
    effort = effort.get("effort") if isinstance(effort, Mapping) else effort
    return None if effort in _UNSET_EFFORTS else effort
