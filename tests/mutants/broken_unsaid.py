"""Modules that say the right thing and do another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from amplifier_core import LLMError
from amplifier_core.utils import RetryConfig
from amplifier_core.utils.retry import retry_with_backoff
from amplifier_module_provider_openai import OpenAIProvider, completion
from amplifier_module_provider_openai.completion import Completion
from amplifier_module_provider_openai.stream_events import BlockEvents

#: Seconds, many times as many as are set.
LATE = 30.0

_delta = BlockEvents.delta
_end = BlockEvents.end


@contextmanager
def _holding_back() -> Iterator[None]:
    """All of a block is told when it is over, in one piece with the right number."""
    held: dict[tuple[BlockEvents, int], str] = {}

    def hold(self: BlockEvents, index: int, _: Any, text: str) -> None:
        self.begun = self.any_delta = True
        held[self, index] = held.get((self, index), "") + text

    def end(self: BlockEvents, index: int, block_type: Any) -> None:
        _delta(self, index, block_type, held.pop((self, index), ""))
        _end(self, index, block_type)

    with patch.object(BlockEvents, "delta", hold), patch.object(BlockEvents, "end", end):
        yield


async def _hurrying(
    operation: Callable[[], Awaitable[Any]],
    config: RetryConfig,
    on_retry: Callable[[int, float, LLMError], Awaitable[None]],
) -> Any:
    """The wait that the server asks for is told, and not waited."""
    asked: list[float] = []

    async def attempt() -> Any:
        try:
            return await operation()
        except LLMError as error:
            asked.append(error.retry_after or 0.0)
            error.retry_after = None
            raise

    async def tell(number: int, delay: float, error: LLMError) -> None:
        await on_retry(number, asked[-1] or delay, error)

    return await retry_with_backoff(attempt, config, on_retry=tell)


class _OwnLimit(int):
    """A limit that is like no other one of its size."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _own_limit(self: OpenAIProvider) -> int:
    limit: int = self.__dict__.setdefault("_own_limit", _OwnLimit(1))
    return limit


UNSAID: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "holds back what it streams": _holding_back,
    "tells a wait and does not wait": lambda: patch.object(
        completion, "retry_with_backoff", _hurrying
    ),
    "times out late": lambda: patch.object(Completion, "_timeout", lambda _: LATE),
    "limits each instance alone": lambda: patch.object(
        OpenAIProvider, "max_concurrent_requests", property(_own_limit)
    ),
}
