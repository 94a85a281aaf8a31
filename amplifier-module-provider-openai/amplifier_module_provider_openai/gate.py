"""How many requests of this process may be under way at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary


@dataclass
class _Load:
    active: int = 0
    waiting: int = 0


_load = _Load()
# One semaphore per event loop and limit: instances with different limits in
# one process must not replace each other's.
_semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, asyncio.Semaphore]] = (
    WeakKeyDictionary()
)


async def _get_process_semaphore(limit: int) -> asyncio.Semaphore | None:
    """The semaphore that all provider instances of this loop share; None for no limit."""
    if limit <= 0:
        return None
    of_loop = _semaphores.setdefault(asyncio.get_running_loop(), {})
    return of_loop.setdefault(limit, asyncio.Semaphore(limit))


@asynccontextmanager
async def request_slot(limit: int) -> AsyncIterator[None]:
    """Hold one of `limit` slots; waits for a free one, frees it however the request ends."""
    semaphore = await _get_process_semaphore(limit)
    if semaphore is not None:
        await _acquire(semaphore)
    _load.active += 1
    try:
        yield
    finally:
        _load.active -= 1
        if semaphore is not None:
            semaphore.release()


async def _acquire(semaphore: asyncio.Semaphore) -> None:
    _load.waiting += 1
    try:
        await semaphore.acquire()
    finally:
        _load.waiting -= 1


def concurrency_payload(provider: str, model: str, limit: int) -> dict[str, Any]:
    """Figures of the `provider:concurrency` event, the asking request counted as active."""
    return {
        "provider": provider,
        "model": model,
        "active_requests": _load.active,
        "waiting_requests": _load.waiting,
        "max_concurrent": limit,
        "process_id": os.getpid(),
    }
