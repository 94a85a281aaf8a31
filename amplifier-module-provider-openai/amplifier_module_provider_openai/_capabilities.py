"""What each OpenAI model can do, told from its id alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GPT_TAGS = ("tools", "reasoning", "streaming", "json_mode", "vision")
_GPT_MINI_PREFIXES = ("gpt-5-mini", "gpt-5.0-mini")
_O_SERIES = re.compile(r"o\d")
_GPT_VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?(?:-|$)")


@dataclass(frozen=True)
class ModelCapabilities:
    """Limits in tokens and features of a model; the defaults describe an unknown one."""

    family: str
    context_window: int = 200_000
    max_output_tokens: int = 128_000
    supports_reasoning: bool = False
    default_reasoning_effort: str | None = None
    supports_vision: bool = True
    supports_streaming: bool = True
    capability_tags: tuple[str, ...] = ("tools", "streaming", "json_mode")
    long_context_pricing_threshold: int | None = None
    supports_in_memory_retention: bool = True
    supports_24h_retention: bool = True

    def advertised_context(self, *, long_context: bool) -> int:
        """Context window in tokens, kept below the long-context price unless that is wanted."""
        if long_context:
            return self.context_window
        return self.long_context_pricing_threshold or self.context_window


def get_capabilities(model_id: str) -> ModelCapabilities:
    """Capabilities of a model id; an unknown id gets conservative defaults, never an error."""
    family = _detect_family(model_id)
    if family == "gpt-5":
        return _gpt_5(model_id)
    return _FAMILIES.get(family, UNKNOWN)


def _detect_family(model_id: str) -> str:
    model_id = model_id.lower()
    if "deep-research" in model_id:
        return "deep-research"
    if model_id.startswith(_GPT_MINI_PREFIXES):
        return "gpt-5-mini"
    if model_id.startswith("gpt-5"):
        return "gpt-5"
    return "o-series" if _O_SERIES.match(model_id) else "unknown"


def _detect_version(model_id: str, family: str) -> tuple[int, int]:
    """(major, minor) of a gpt id, (5, 0) for plain "gpt-5", (0, 0) when it can't be told."""
    match = _GPT_VERSION.match(model_id.lower()) if family.startswith("gpt-") else None
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def _gpt_5(model_id: str) -> ModelCapabilities:
    version = _detect_version(model_id, "gpt-5")
    if version == (5, 5):
        return _GPT_5_5
    if version == (5, 3):
        return _GPT_5_3
    return _GPT_5_4 if version >= (5, 4) or version == (0, 0) else _GPT_5_2


UNKNOWN = ModelCapabilities(family="unknown")
_GPT_5_5 = ModelCapabilities(
    family="gpt-5",
    context_window=1_000_000,
    supports_reasoning=True,
    capability_tags=_GPT_TAGS,
    supports_in_memory_retention=False,
)
_GPT_5_4 = ModelCapabilities(
    family="gpt-5",
    context_window=1_050_000,
    supports_reasoning=True,
    capability_tags=_GPT_TAGS,
    long_context_pricing_threshold=272_000,
)
_GPT_5_3 = ModelCapabilities(
    family="gpt-5",
    context_window=400_000,
    supports_reasoning=True,
    capability_tags=_GPT_TAGS,
)
_GPT_5_2 = ModelCapabilities(
    family="gpt-5",
    supports_reasoning=True,
    default_reasoning_effort="medium",
    capability_tags=_GPT_TAGS,
)
_FAMILIES = {
    "deep-research": ModelCapabilities(
        family="deep-research",
        supports_reasoning=True,
        supports_vision=False,
        supports_streaming=False,
        capability_tags=("deep_research", "web_search", "reasoning"),
    ),
    "gpt-5-mini": ModelCapabilities(
        family="gpt-5-mini",
        context_window=128_000,
        max_output_tokens=64_000,
        capability_tags=("tools", "streaming", "json_mode", "vision", "fast"),
    ),
    "o-series": ModelCapabilities(
        family="o-series",
        max_output_tokens=100_000,
        supports_reasoning=True,
        default_reasoning_effort="medium",
        supports_vision=False,
        capability_tags=("tools", "reasoning", "streaming"),
    ),
}
