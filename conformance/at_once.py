"""Questions at once, none of which is left under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def all_of(*asked: Awaitable[T]) -> list[T]:
    """What each comes to, in their order, or the first one's error, when all have ended.

    `asyncio.gather` raises at once: the others would be cut off where the check ends, without
    evidence, and what they leave behind would come up in another check.
    """
    ended = await asyncio.gather(*asked, return_exceptions=True)
    answers: list[T] = []
    for one in ended:
        if isinstance(one, BaseException):
            raise one
        answers.append(one)
    return answers
