"""Mounting the provider into an Amplifier session."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from amplifier_core import ModuleCoordinator

from ._constants import OBSERVABILITY_EVENTS, PROVIDER_NAME
from .config import Settings
from .credentials import find_api_key
from .provider import OpenAIProvider

logger = logging.getLogger(__name__)
_MODULE_ID = "provider-openai"


class _SessionCost:
    """USD spent so far; None until the first call that has a price."""

    def __init__(self) -> None:
        self.total: Decimal | None = None

    def add(self, cost: Decimal | None) -> None:
        if cost is not None:
            self.total = (self.total or Decimal(0)) + cost

    def contribution(self) -> dict[str, str] | None:
        return None if self.total is None else {"cost_usd": str(self.total)}


async def mount(
    coordinator: ModuleCoordinator, config: dict[str, Any] | None = None
) -> Callable[[], Awaitable[None]] | None:
    """Mount the provider as "openai"; None, and nothing mounted, if OpenAI is meant without a key.

    Asks no server: Amplifier mounts a module once to validate it and once to use it.
    Returns the cleanup. Raises ConfigurationError for a value that can't be read.
    """
    config = config or {}
    Settings.from_config(config)  # a value that can't be read is told before a key is missed
    api_key = find_api_key(config)
    if api_key is None:
        logger.warning("No API key found: set OPENAI_API_KEY, or api_key in the provider's config")
        return None
    cost = _SessionCost()
    provider = OpenAIProvider(
        api_key=api_key, config=config, coordinator=coordinator, add_cost=cost.add
    )
    await coordinator.mount("providers", provider, name=PROVIDER_NAME)
    register = getattr(coordinator, "register_contributor", None)
    if register is not None:
        register("session.cost", _MODULE_ID, cost.contribution)
        register("observability.events", _MODULE_ID, lambda: list(OBSERVABILITY_EVENTS))
    return provider.close
