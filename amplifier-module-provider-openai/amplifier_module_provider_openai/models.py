"""The models behind an endpoint, as Amplifier wants them listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from amplifier_core.models import ModelInfo
from openai import AsyncOpenAI, RequestOptions

from ._capabilities import UNKNOWN, ModelCapabilities
from ._constants import ADVERTISED_MAX_TOKENS, DEEP_RESEARCH_MODELS
from .answer import count
from .config import Settings
from .credentials import QUESTION_TIMEOUT
from .history import read_field

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_RESEARCH = re.compile(r"(o\d(?:-mini)?)-deep-research(?:-(\d{4}-\d{2}-\d{2}))?$")
_CONTEXT_KEYS = ("max_model_len", "loaded_context_length", "max_context_length", "context_length")
_META_CONTEXT_KEYS = ("n_ctx", "n_ctx_slot")
_SPACED_NAMES = re.compile(r"gpt-(5\.[1245])(-pro)?$")
_NAMES = {
    "gpt-5.3-codex": "GPT-5.3 codex",
    "gpt-5.1-codex": "GPT-5.1 codex",
    "gpt-5-mini": "GPT-5 mini",
}

CapabilitiesOf = Callable[[str], ModelCapabilities]


def display_name(model_id: str) -> str:
    """A model's name for people; an unknown id stays as it is."""
    if model_id in _NAMES:
        return _NAMES[model_id]
    if match := _SPACED_NAMES.match(model_id):
        return f"GPT {match[1]}{' Pro' if match[2] else ''}"
    if match := _RESEARCH.match(model_id):
        return f"{match[1]} Deep Research{f' ({match[2]})' if match[2] else ''}"
    return f"GPT-{model_id[4:]}" if model_id.startswith("gpt-") else model_id


def openai_models(
    cards: Iterable[Any], settings: Settings, capabilities_of: CapabilitiesOf
) -> list[ModelInfo]:
    """The models of OpenAI that an agent can work with, by name."""
    ids = [card.id for card in cards if _is_offered(card.id, filtered=settings.filtered)]
    infos = [_openai_model(model_id, settings, capabilities_of(model_id)) for model_id in ids]
    return sorted(infos, key=lambda info: info.display_name.lower())


def _is_offered(model_id: str, *, filtered: bool) -> bool:
    if "deep-research" in model_id:
        return model_id.startswith(("o3-deep-research", "o4-mini-deep-research"))
    if not model_id.startswith(("gpt-5", "gpt-6")):
        return False
    return not (filtered and _DATED.search(model_id))


def _openai_model(model_id: str, settings: Settings, capabilities: ModelCapabilities) -> ModelInfo:
    defaults: dict[str, Any] = {"max_tokens": ADVERTISED_MAX_TOKENS, "reasoning_effort": "none"}
    if model_id in DEEP_RESEARCH_MODELS or capabilities.family == "deep-research":
        defaults = {"max_tokens": 32768, "background": True}
    return ModelInfo(
        id=model_id,
        display_name=display_name(model_id),
        context_window=capabilities.advertised_context(long_context=settings.enable_long_context),
        max_output_tokens=capabilities.max_output_tokens,
        capabilities=list(capabilities.capability_tags),
        defaults=defaults,
    )


def served_models(contexts: Mapping[str, int | None], settings: Settings) -> list[ModelInfo]:
    """All models of any other server, from their ids and the contexts that it told."""
    infos = [_served_model(model_id, told, settings) for model_id, told in contexts.items()]
    return sorted(infos, key=lambda info: info.display_name.lower())


def _served_model(model_id: str, told: int | None, settings: Settings) -> ModelInfo:
    context = told or settings.context_window
    return ModelInfo(
        id=model_id,
        display_name=model_id,
        context_window=context or UNKNOWN.context_window,
        max_output_tokens=output_limit_of(settings, context, UNKNOWN),
        capabilities=[*UNKNOWN.capability_tags, "local"],
    )


async def server_context(client: AsyncOpenAI) -> int | None:
    """Context of a llama.cpp whose model cards lack it, from `/props`; None anywhere else."""
    url = str(client.base_url).rstrip("/").removesuffix("/v1")
    try:
        patient: RequestOptions = {"timeout": QUESTION_TIMEOUT}
        properties = await client.get(f"{url}/props", cast_to=object, options=patient)
    except Exception:  # noqa: BLE001  # a server without /props says so in its own way
        return None
    return count(read_field(read_field(properties, "default_generation_settings"), "n_ctx"))


def output_limit_of(
    settings: Settings, context_window: int | None, known: ModelCapabilities
) -> int:
    """Most output tokens: as configured, else half of the context when that is known."""
    configured = settings.max_output_tokens or settings.max_tokens
    if context_window:
        return min(configured or max(1, context_window // 2), context_window)
    return configured or known.max_output_tokens


def openai_output_limit(
    settings: Settings, context_window: int | None, known: ModelCapabilities
) -> int:
    """Most output tokens of OpenAI's own: the model's, or as configured, in a window that was."""
    limit = settings.max_output_tokens or known.max_output_tokens
    if not context_window:
        return limit
    return min(limit, context_window if settings.max_output_tokens else context_window // 2)


def context_of(card: Any) -> int | None:
    """Context window in tokens, from whichever field the server has for it."""
    found = [count(read_field(card, name)) for name in _CONTEXT_KEYS]
    meta = read_field(card, "meta")
    found += [count(read_field(meta, name)) for name in _META_CONTEXT_KEYS] if meta else []
    return next((tokens for tokens in found if tokens), None)
