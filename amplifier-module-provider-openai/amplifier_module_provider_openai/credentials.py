"""Which key goes to which host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from amplifier_core.llm_errors import ConfigurationError
from openai import Omit, Timeout

from ._constants import DEFAULT_TIMEOUT, OPENAI_BASE_URL, PLACEHOLDER_API_KEY, PROVIDER_NAME
from .config import read_url, without_login
from .endpoint import endpoint_of

# Seconds in which a connection has to come about; the SDK's own figure.
_CONNECT_TIMEOUT = 5.0
# For what is asked besides completions, which have their own limits.
QUESTION_TIMEOUT = Timeout(DEFAULT_TIMEOUT, connect=_CONNECT_TIMEOUT)
# The SDK takes these from the environment; they are nobody's business but OpenAI's.
_NOT_FOR_OTHERS: dict[str, Any] = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}


class MissingKeyError(ValueError):
    """OpenAI is to be asked, and there is no key."""


def find_api_key(config: Mapping[str, Any]) -> str | None:
    """The configured key, else the one in the environment, else a placeholder; None for OpenAI.

    The environment's key was made for the environment's host, OpenAI's or Azure's: another
    one that comes from config gets it only if config says so. Raises ConfigurationError for
    an $OPENAI_BASE_URL that is no URL.
    """
    configured_url = config.get("base_url") or None
    custom = endpoint_of(_checked_url(configured_url)).is_custom
    if config.get("api_key"):
        return str(config["api_key"])
    if configured_url and custom:
        return PLACEHOLDER_API_KEY
    return os.environ.get("OPENAI_API_KEY") or (PLACEHOLDER_API_KEY if custom else None)


def url_in_use(base_url: str | None) -> str:
    """Where the SDK will send requests: as configured, else as the environment says."""
    return base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_BASE_URL


def _checked_url(base_url: str | None) -> str:
    url = url_in_use(base_url)
    try:
        return read_url(url)
    except ValueError as error:
        name = "base_url" if base_url else "OPENAI_BASE_URL in the environment"
        told = f"{name} is {without_login(url)!r}: {error}"
        raise ConfigurationError(told, provider=PROVIDER_NAME) from error


def client_arguments(api_key: str | None, base_url: str | None) -> dict[str, Any]:
    """Arguments of the SDK's client. Raises ValueError if OpenAI is asked without a key.

    How long an answer may take is for each call to say: a request may want longer than others.
    """
    url = _checked_url(base_url)
    custom = endpoint_of(url).is_custom
    key = api_key or (PLACEHOLDER_API_KEY if custom else None)
    if not key:
        raise MissingKeyError("api_key or client must be provided for API calls")
    return {
        "api_key": key,
        "base_url": url,
        "timeout": Timeout(None, connect=_CONNECT_TIMEOUT),
        "default_headers": _headers_for_others(key, configured=bool(base_url)) if custom else None,
    }


def _headers_for_others(key: str, *, configured: bool) -> dict[str, Any]:
    """What keeps the environment's headers from a host that came from config."""
    added = os.environ.get("OPENAI_CUSTOM_HEADERS") if configured else None
    if not added:
        return _NOT_FOR_OTHERS
    names = (line.partition(":")[0].strip() for line in added.split("\n"))
    return {**dict.fromkeys(names, Omit()), **_NOT_FOR_OTHERS, "Authorization": f"Bearer {key}"}
