"""The module under test, mounted by amplifier-core as an application mounts it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from amplifier_core import AmplifierSession, HookResult, ModuleCoordinator, ModuleLoader, Provider
from amplifier_core.events import ALL_EVENTS

from conformance.outcome import NotAnswered

#: What a session must have and an ask does not use.
_ABSENT = {"orchestrator": "loop-absent", "context": "context-absent"}


@dataclass
class Mounted:
    """A provider inside its session, and the events that were emitted since: name and payload."""

    provider: Provider
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)


@asynccontextmanager
async def mounted(module: str, config: dict[str, Any]) -> AsyncIterator[Mounted]:
    """A session with one provider module, found through its entry point `module`.

    Raises `NotAnswered` when nothing is mounted under that name.
    """
    plan = {"session": _ABSENT, "providers": [{"module": module, "config": config}]}
    session = AmplifierSession(plan)
    session.coordinator.loader = _Loader(coordinator=session.coordinator)
    await session.initialize()
    try:
        providers = session.coordinator.get("providers") or {}
        if not providers:
            raise NotAnswered(f"{module} did not mount with {sorted(config)}")
        found = Mounted(next(iter(providers.values())))
        await _record(session.coordinator, found.events)
        yield found
    finally:
        await session.cleanup()


class _Loader(ModuleLoader):
    """The kernel's own loader; only the absent loop and context are answered here."""

    async def load(self, module_id: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        if module_id in _ABSENT.values():
            return _mount_nothing
        return await super().load(module_id, *args, **kwargs)


async def _mount_nothing(_: ModuleCoordinator) -> None:
    return None


async def _record(coordinator: ModuleCoordinator, events: list[Any]) -> None:
    """Listen to the kernel's events and to those that modules say they emit."""
    contributed = await coordinator.collect_contributions("observability.events")
    for name in {*ALL_EVENTS, *(event for names in contributed for event in names)}:
        coordinator.hooks.register(name, _listener(events), name=f"conformance-{name}")


def _listener(events: list[Any]) -> Callable[[str, dict[str, Any]], Awaitable[HookResult]]:
    async def listen(name: str, payload: dict[str, Any]) -> HookResult:
        events.append((time.time(), name, payload))
        return HookResult(action="continue")

    return listen
