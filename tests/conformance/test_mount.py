"""What listens to the kernel's events."""

from __future__ import annotations

import asyncio
import time

from amplifier_core import HookRegistry

from conformance.mount import EmittedEvent, _listener

#: How many events nobody waits for, and seconds in which they are told all the same.
MANY, SOON = 8, 10.0


def test_an_event_that_outlives_its_loop_is_told() -> None:
    events: list[EmittedEvent] = []

    asyncio.run(emitted_and_left(events))
    deadline = time.monotonic() + SOON
    while len(events) < MANY and time.monotonic() < deadline:
        time.sleep(0.01)

    assert [name for _, name, _ in events] == ["an:event"] * MANY


async def emitted_and_left(events: list[EmittedEvent]) -> None:
    """Emit events for which nobody waits, in a loop that ends at once."""
    hooks = HookRegistry()
    hooks.register("an:event", _listener(events), name="listener")
    left = [asyncio.ensure_future(hooks.emit("an:event", {})) for _ in range(MANY)]
    await asyncio.sleep(0)
    assert not all(one.done() for one in left)
