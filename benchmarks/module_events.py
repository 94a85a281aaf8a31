"""A loop over AsyncOpenAI that emits what this module emits, and the coordinator of both.

The fair comparison with the module under a coordinator: as many events, of the same
shape, through amplifier-core's own hooks.
"""

# Each client is imported where it is measured: the others are not installed there.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-not-found,unused-ignore"

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal
from uuid import uuid4

# Who listens: nobody, one hook on the stream events (a screen), or on every event (a log).
Audience = Literal["nobody", "screen", "log"]
STREAM_EVENTS = tuple(f"llm:stream_block_{name}" for name in ("start", "delta", "end"))
ALL_EVENTS = ("llm:request", "provider:concurrency", *STREAM_EVENTS, "llm:response")


def coordinator(audience: Audience, shown: list[Callable[[], None]]) -> Any:
    """Amplifier's own coordinator; the last of `shown` is called whenever a hook gets a delta."""
    from amplifier_core.testing import MockCoordinator

    made: Any = MockCoordinator()  # type: ignore[no-untyped-call]

    async def handler(event: str, _data: dict[str, Any]) -> None:
        if event == "llm:stream_block_delta":
            shown[-1]()

    heard = {"nobody": (), "screen": STREAM_EVENTS, "log": ALL_EVENTS}[audience]
    for event in heard:
        made.hooks.register(event, handler, name=event)
    return made


class Call:
    """The events of one call, each awaited where it belongs."""

    def __init__(self, emit: Callable[[str, dict[str, Any]], Awaitable[Any]]) -> None:
        self.request_id = str(uuid4())
        self._emit = emit
        self._begun = time.monotonic()
        self._sequence = 0

    async def begin(self) -> None:
        """`llm:request` and `provider:concurrency`."""
        await self._emit(
            "llm:request",
            {
                **self._who(),
                "request_id": self.request_id,
                "message_count": 1,
                "has_instructions": False,
                "reasoning_enabled": False,
                "thinking_enabled": False,
                "thinking_budget": None,
                "background_mode": False,
            },
        )
        load = {"active_requests": 1, "waiting_requests": 0, "max_concurrent": 0}
        await self._emit("provider:concurrency", {**self._who(), **load, "process_id": os.getpid()})

    async def start(self) -> None:
        """The one block of the answer begins."""
        await self._emit("llm:stream_block_start", self._block())

    async def delta(self, text: str) -> None:
        """It grows."""
        payload = {**self._block(), "sequence": self._sequence, "text": text}
        self._sequence += 1
        await self._emit("llm:stream_block_delta", payload)

    async def end(self) -> None:
        """It is complete."""
        await self._emit("llm:stream_block_end", self._block())

    async def finish(self, usage: Any) -> None:
        """`llm:response`."""
        counted = {
            "input_tokens": usage.prompt_tokens if usage else 0,
            "output_tokens": usage.completion_tokens if usage else 0,
            "cost_usd": None,
        }
        payload = {
            **self._who(),
            "request_id": self.request_id,
            "usage": counted,
            "status": "ok",
            "duration_ms": int((time.monotonic() - self._begun) * 1000),
            "continuation_count": None,
        }
        await self._emit("llm:response", payload)

    def _who(self) -> dict[str, Any]:
        return {"provider": "openai", "model": "tiny"}

    def _block(self) -> dict[str, Any]:
        return {"request_id": self.request_id, "block_index": 0, "block_type": "text"}


def sdk_with_events(
    url: str, messages: list[dict[str, str]], audience: Audience
) -> tuple[Callable[[int, Callable[[], None]], Awaitable[int]], Callable[[], Awaitable[Any]]]:
    """Plain AsyncOpenAI and the contract's events; whole answers and streams."""
    from openai import AsyncOpenAI

    client: Any = AsyncOpenAI(base_url=url, api_key="x", max_retries=0)
    seen: list[Callable[[], None]] = []
    hooks = coordinator(audience, seen).hooks

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        seen.append(first)
        call, usage = Call(hooks.emit), None
        text: list[str] = []
        await call.begin()
        answer = await client.chat.completions.create(
            model="tiny",
            messages=messages,
            max_tokens=chunks,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in answer:
            usage = chunk.usage or usage
            if chunk.choices and (content := chunk.choices[0].delta.content):
                if not text:
                    await call.start()
                text.append(content)
                await call.delta(content)
                if audience == "nobody":
                    first()
        await call.end()
        await call.finish(usage)
        return len("".join(text))

    async def whole() -> Any:
        call = Call(hooks.emit)
        await call.begin()
        answer = await client.chat.completions.create(model="tiny", messages=messages)
        await call.finish(answer.usage)
        return answer.choices[0].message.content

    return stream, whole
