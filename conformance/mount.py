"""The module under test, mounted by amplifier-core as an application mounts it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, TypeAlias

from amplifier_core import AmplifierSession, HookResult, ModuleCoordinator, ModuleLoader, Provider
from amplifier_core.events import ALL_EVENTS

from conformance.conversation import Told
from conformance.outcome import NotAnswered
from fixtures.session import MODULES

#: An entry of a mount plan: `module`, `config`, and `instance_id` where one has to be told apart.
Entry: TypeAlias = dict[str, Any]
#: Time, name and payload.
EmittedEvent: TypeAlias = tuple[float, str, dict[str, Any]]


@dataclass
class Mounted:
    """A session with its providers by mount name, and the events it emitted so far."""

    session: AmplifierSession
    providers: dict[str, Provider]
    events: list[EmittedEvent] = field(default_factory=list)

    @property
    def provider(self) -> Provider:
        """The first provider of the plan."""
        return next(iter(self.providers.values()))

    async def execute(self, prompt: str) -> str:
        """Run the session's loop to its answer. `NotAnswered` with the error that ended it."""
        try:
            return await self.session.execute(prompt)
        except Exception as error:
            raise NotAnswered(f"the session ended in {type(error).__name__}: {error}") from error


@asynccontextmanager
async def mounted(
    *providers: Entry, loop: dict[str, Any] | None = None, tools: Sequence[str] = ()
) -> AsyncIterator[Mounted]:
    """A session whose plan has these providers, found through their entry points.

    `loop` configures the minimal loop, `tools` are module ids of `fixtures.session`.
    Raises `NotAnswered` when a provider is not mounted.
    """
    plan = {
        "session": {
            "orchestrator": {"module": "loop-minimal", "config": loop or {}},
            "context": {"module": "context-minimal"},
        },
        "providers": list(providers),
        "tools": [{"module": tool} for tool in tools],
    }
    session = AmplifierSession(plan)
    session.coordinator.loader = _Loader(coordinator=session.coordinator)
    await session.initialize()
    try:
        found = Mounted(session, dict(session.coordinator.get("providers") or {}))
        if len(found.providers) < len(providers):
            wanted = [entry["module"] for entry in providers]  # not their keys
            raise NotAnswered(f"mounted {sorted(found.providers)} of {wanted}")
        await _record(session.coordinator, found.events)
        yield found
    finally:
        await session.cleanup()


class _Loader(ModuleLoader):
    """The kernel's own loader, which also knows the modules of `fixtures.session`.

    It remembers over sessions what it has loaded: to look through all that is installed takes
    longer than most questions.
    """

    _found: ClassVar[dict[str, Any]] = {}

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        super().__init__(coordinator=coordinator)
        self._loaded_modules = self._found

    async def load(
        self, module_id: str, config: dict[str, Any] | None = None, *args: Any, **kwargs: Any
    ) -> Callable[[ModuleCoordinator], Awaitable[Any]]:
        if module_id in MODULES:
            return partial(MODULES[module_id], config=config or {})
        return await super().load(module_id, config, *args, **kwargs)


async def _record(coordinator: ModuleCoordinator, events: list[EmittedEvent]) -> None:
    """Listen to the kernel's events and to those that modules say they emit."""
    contributed = await coordinator.collect_contributions("observability.events")
    for name in {*ALL_EVENTS, *(event for names in contributed for event in names)}:
        coordinator.hooks.register(name, _listener(events), name=f"conformance-{name}")


def _listener(events: list[EmittedEvent]) -> Callable[[str, dict[str, Any]], HookResult]:
    # No coroutine: amplifier-core 2.0.2 can't run one for an event that outlives its loop, and the
    # warning that it was never awaited would hit whichever check runs then.
    def listen(name: str, payload: dict[str, Any]) -> HookResult:
        events.append((time.time(), name, Told(payload)))
        return HookResult(action="continue")

    return listen
