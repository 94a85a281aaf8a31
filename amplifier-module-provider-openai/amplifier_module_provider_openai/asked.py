"""What a request asks for, in the words of neither protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from amplifier_core.llm_errors import InvalidRequestError
from amplifier_core.message_models import ChatRequest

from .config import Settings, read_auto
from .history import read_field


def first(*values: Any) -> Any:
    """The first value that says something, in the order of who decides."""
    return next((value for value in values if value is not None), None)


def asked_switch(
    options: Mapping[str, Any],
    name: str,
    configured: Literal["auto"] | bool,  # noqa: FBT001
) -> Literal["auto"] | bool:
    """An option that is on, off or "auto", else as configured. Raises InvalidRequestError."""
    value = options.get(name)
    if value is None:
        return configured
    try:
        return read_auto(value)
    except ValueError as error:
        raise InvalidRequestError(f"option {name}={value!r}: {error}, or auto") from error


def asked_reasoning(
    request: ChatRequest, options: Mapping[str, Any], settings: Settings
) -> str | Mapping[str, Any] | None:
    """An effort, or OpenAI's mapping of effort and summary; None if nobody asked.

    The setup wizard writes `reasoning_effort: none` for "as the model likes"; who means
    no reasoning sets `reasoning: none`, or asks for it in a request.
    """
    configured = None if settings.reasoning_effort == "none" else settings.reasoning_effort
    asked: str | Mapping[str, Any] | None = first(
        options.get("reasoning"),
        request.reasoning_effort,
        options.get("reasoning_effort"),
        settings.reasoning,
        configured,
    )
    return asked


def thinking_budget(options: Mapping[str, Any], settings: Settings) -> int | None:
    """Tokens to think with, where extended thinking is asked for."""
    if not options.get("extended_thinking"):
        return None
    budget: int | None = options.get("thinking_budget_tokens") or settings.thinking_budget_tokens
    return budget


def named_schema(wanted: Any) -> dict[str, Any]:
    """A response format's JSON schema with its name; it may come with them already."""
    schema = read_field(wanted, "json_schema")
    wrapped = schema if isinstance(schema.get("schema"), dict) else {"schema": schema}
    strict = read_field(wanted, "strict")
    described = {"name": "response", **wrapped}
    return {**described, "strict": strict} if isinstance(strict, bool) else described
