"""What a protocol hands back for one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplifier_core.message_models import ChatResponse


@dataclass(slots=True)
class Reply:
    """The response, and what the `llm:response` event tells besides."""

    response: ChatResponse
    model: str | None = None
    raw: Callable[[], Any] = dict
    rate_limits: dict[str, int | str] = field(default_factory=dict)
    continuation_count: int | None = None


def read_rate_limits(headers: Any) -> dict[str, int | str]:
    """OpenAI's `x-ratelimit-*` headers; counts as numbers, resets as they are written."""
    if not isinstance(headers, Mapping):
        return {}
    limits: dict[str, int | str] = {}
    for unit in ("requests", "tokens"):
        for figure in ("limit", "remaining", "reset"):
            value = headers.get(f"x-ratelimit-{figure}-{unit}")
            if value is not None and (figure == "reset" or str(value).isdigit()):
                limits[f"{unit}_{figure}"] = value if figure == "reset" else int(value)
    return limits
