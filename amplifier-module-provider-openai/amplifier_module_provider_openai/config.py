"""The config mapping of a provider entry, read into typed settings.

Values arrive as the user's YAML has them or, from the setup wizard, as strings;
an unset `${VAR}` arrives as an empty string and counts as absent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from amplifier_core.llm_errors import ConfigurationError

from . import _constants as default

_TRUE = frozenset({"1", "true", "yes", "on", "y", "enabled"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "disabled", "none"})


def read_flag(value: object) -> bool:
    """True or False from a bool, a word such as "yes" and "off", or a number that isn't 0."""
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    try:
        return float(word) != 0
    except ValueError:
        raise ValueError("expected true or false") from None


def read_auto(value: object) -> Literal["auto"] | bool:
    """The word "auto", or a flag."""
    if value is None or str(value).strip().lower() in {"", "auto"}:
        return "auto"
    return read_flag(value)


def read_url(value: object) -> str:
    """A URL that requests can be sent to."""
    split = urlsplit(str(value).strip())
    if split.scheme not in {"http", "https"} or not split.hostname or not _has_good_port(split):
        raise ValueError("expected a URL such as http://localhost:8080/v1")
    return str(value).strip()


def _has_good_port(split: SplitResult) -> bool:
    try:
        return split.port is None or split.port > 0
    except ValueError:
        return False


def without_login(value: object) -> object:
    """A URL as it may be told: a name and a password before its host are left out."""
    return value.rpartition("@")[2] if isinstance(value, str) else value


def read_whole(value: object) -> int:
    """A whole number from 4, 4.0 or "4"."""
    number = float(str(value))
    if not number.is_integer():
        raise ValueError("expected a whole number")
    return int(number)


def read_count(value: object) -> int:
    """A whole number that is not negative."""
    number = read_whole(value)
    if number < 0:
        raise ValueError("expected 0 or more")
    return number


def read_limit(value: object) -> int:
    """A whole number; 0, no limit, for a negative one, as provider-openai 1.0 had it."""
    return max(0, read_whole(value))


def read_number(value: object) -> float:
    """A number from 0.5 or "0.5"."""
    return float(str(value))


def read_seconds(value: object) -> float:
    """A time that is not negative."""
    seconds = read_number(value)
    if not seconds >= 0:
        raise ValueError("expected 0 or more seconds")
    return seconds


def read_texts(value: object) -> list[str]:
    """Texts from a list, or a single one."""
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def read_mapping(value: object) -> dict[str, Any]:
    """A mapping, as YAML gives it."""
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of keys to values")  # noqa: TRY004
    return value


def read_effort(value: object) -> str | dict[str, Any]:
    """An effort ("high"), or OpenAI's mapping of effort and summary; `off` in YAML is "none"."""
    if value is False:
        return "none"
    if value is True:
        raise ValueError('expected an effort such as "high"')
    return value if isinstance(value, dict) else str(value)


def read_replay(value: object) -> str:
    """The field that earlier thoughts go into; "none" for no field."""
    word = "none" if value is False else str(value)
    if word not in {"none", "reasoning", "reasoning_content"}:
        raise ValueError("expected none, reasoning or reasoning_content")
    return word


def _setting(standard: Any, read: Callable[[Any], Any] = str) -> Any:
    return field(default=standard, metadata={"read": read})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every config key that the module reads, with its default; times are in seconds."""

    base_url: str | None = _setting(None, read_url)
    default_model: str = _setting(default.DEFAULT_MODEL)
    use_responses_api: Literal["auto"] | bool = _setting("auto", read_auto)
    max_tokens: int | None = _setting(None, read_count)
    context_window: int | None = _setting(None, read_count)
    max_output_tokens: int | None = _setting(None, read_count)
    temperature: float | None = _setting(None, read_number)
    top_p: float | None = _setting(None, read_number)
    seed: int | None = _setting(None, read_whole)
    stop: list[str] | None = _setting(None, read_texts)  # noqa: RUF009
    reasoning: str | dict[str, Any] | None = _setting(None, read_effort)  # noqa: RUF009
    reasoning_effort: str | dict[str, Any] | None = _setting(None, read_effort)  # noqa: RUF009
    reasoning_summary: str = _setting(default.DEFAULT_REASONING_SUMMARY)
    reasoning_replay: str = _setting("none", read_replay)
    extra_request_params: dict[str, Any] | None = _setting(None, read_mapping)  # noqa: RUF009
    parallel_tool_calls: bool | None = _setting(None, read_flag)
    truncation: str | None = _setting(default.DEFAULT_TRUNCATION)
    enable_state: bool = _setting(False, read_flag)  # noqa: FBT003
    enable_response_chaining: Literal["auto"] | bool = _setting("auto", read_auto)
    raw: bool = _setting(False, read_flag)  # noqa: FBT003
    timeout: float = _setting(default.DEFAULT_TIMEOUT, read_seconds)
    stream_idle_timeout: float = _setting(default.DEFAULT_STREAM_IDLE_TIMEOUT, read_seconds)
    filtered: bool = _setting(True, read_flag)  # noqa: FBT003
    prompt_cache_key: str | None = _setting(None)
    prompt_cache_retention: str | None = _setting(default.DEFAULT_PROMPT_CACHE_RETENTION)
    safety_identifier: str | None = _setting(None)
    poll_interval: float = _setting(default.DEFAULT_POLL_INTERVAL, read_seconds)
    background_timeout: float = _setting(default.DEFAULT_BACKGROUND_TIMEOUT, read_seconds)
    priority: int = _setting(100, read_whole)
    enable_long_context: bool = _setting(False, read_flag)  # noqa: FBT003
    use_streaming: bool = _setting(True, read_flag)  # noqa: FBT003
    max_retries: int = _setting(5, read_count)
    min_retry_delay: float = _setting(1.0, read_seconds)
    max_retry_delay: float = _setting(60.0, read_seconds)
    retry_jitter: bool = _setting(True, read_flag)  # noqa: FBT003
    max_concurrent_requests: int = _setting(5, read_limit)
    thinking_budget_tokens: int | None = _setting(None, read_count)
    thinking_budget_buffer: int = _setting(1024, read_count)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Raises ConfigurationError that names the key; keys of other modules are ignored."""
        given = _from_environment() | {
            item.name: _read(item.name, config[item.name], item.metadata["read"])
            for item in fields(cls)
            if config.get(item.name) not in (None, "")
        }
        if not config.get("prompt_cache_retention", "unset"):
            given["prompt_cache_retention"] = None
        return cls(**given)


def _from_environment() -> dict[str, Any]:
    """What the environment decides where config does not."""
    name = default.USE_RESPONSES_API_VARIABLE
    value = os.environ.get(name)
    try:
        return {"use_responses_api": read_auto(value)} if value else {}
    except ValueError as error:
        raise ConfigurationError(
            f"{name} in the environment is {value!r}: {error}, or auto",
            provider=default.PROVIDER_NAME,
        ) from error


def _read(key: str, value: object, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except ValueError as error:
        told = without_login(value) if key == "base_url" else value
        raise ConfigurationError(
            f"config key {key!r} of provider-openai has the value {told!r}: {error}. "
            "Correct it in settings.yaml or remove it to get the default.",
            provider=default.PROVIDER_NAME,
        ) from error
