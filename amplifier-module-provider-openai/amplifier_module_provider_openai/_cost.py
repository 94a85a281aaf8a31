"""Prices of OpenAI's models, in USD."""

from __future__ import annotations

import re
from decimal import Decimal

_MILLION = Decimal(1_000_000)
_SNAPSHOT_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def _rates(fresh: str, completion: str, cached: str) -> dict[str, Decimal]:
    return {
        "input_per_m": Decimal(fresh),
        "output_per_m": Decimal(completion),
        "cache_read_per_m": Decimal(cached),
    }


# USD per million tokens.
_RATES = {
    "gpt-5.5": _rates("5.00", "30.00", "0.50"),
    "gpt-5.5-pro": _rates("30.00", "180.00", "0"),
    "gpt-5.4": _rates("2.50", "15.00", "0.25"),
    "gpt-5.4-pro": _rates("30.00", "180.00", "0"),
    "o3-deep-research": _rates("10.00", "40.00", "5.00"),
    "o4-mini-deep-research": _rates("2.00", "8.00", "0.275"),
}


def compute_cost(
    model: str,
    *,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    cached_tokens: int = 0,
) -> Decimal | None:
    """Cost in USD of one call; `prompt_tokens` includes the cached ones. None: price unknown."""
    rates = _find_rates(model)
    if rates is None:
        return None
    fresh = max(0, prompt_tokens - cached_tokens) * rates["input_per_m"]
    completion = completion_tokens * rates["output_per_m"]
    cached = cached_tokens * rates["cache_read_per_m"]
    return (fresh + completion + cached) / _MILLION


def _find_rates(model: object) -> dict[str, Decimal] | None:
    """Rates of an id, or of its family when the id is a dated snapshot."""
    if not isinstance(model, str):
        return None
    return _RATES.get(model) or _RATES.get(_SNAPSHOT_DATE.sub("", model))
