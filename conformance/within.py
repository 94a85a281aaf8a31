"""What has to come soon: a fault, and not a wait without an end, where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, awaited: Awaitable[T], else_said: str) -> T:
    """What `awaited` gives; an `AssertionError` in these words where that takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await awaited
    except TimeoutError:
        raise AssertionError(f"{else_said}, for {seconds:g} s") from None
