"""Which events are emitted, and in which order (contract §1.10)."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from amplifier_module_provider_openai import OpenAIProvider
from amplifier_module_provider_openai.outbox import Note, Outbox
from scripted_server import Answer, chunk, completion, stream

CHAT = "/chat/completions"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
BUSY = Answer.json({"error": {"message": "busy"}}, 503)


async def ignore(_event, _data):
    """A hook that does nothing."""


def test_nobody_hears_what_nobody_registered_for(coordinator):
    coordinator.hooks.register("provider:concurrency", ignore)
    outbox = Outbox(coordinator.hooks)

    assert outbox.hears("provider:concurrency")
    assert outbox.hears("llm:stream_block_start", "provider:concurrency")
    assert not outbox.hears("llm:stream_block_start")


async def test_the_payload_of_an_event_that_nobody_hears_is_not_made(coordinator):
    def payload():
        raise AssertionError("made")

    await Outbox(coordinator.hooks).tell("llm:request", payload)
    coordinator.hooks.register("llm:request", ignore)

    with pytest.raises(AssertionError, match="made"):
        await Outbox(coordinator.hooks).tell("llm:request", payload)


async def test_who_hears_a_retry_alone_is_told_whose(coordinator, server, make_provider, say):
    seen = []

    async def hear(_event, data):
        seen.append(data.get("request_id"))

    coordinator.hooks.register("provider:retry", hear)
    server.on(CHAT, BUSY, HELLO)
    provider = make_provider(use_responses_api=False, max_retries=1, min_retry_delay=0.01)

    await provider.complete(say())

    assert len(seen) == 1
    assert seen[0]


async def test_hooks_of_another_kind_get_everything(server, say):
    class Hooks:
        async def emit(self, event, _data):
            seen.append(event)

    seen: list[str] = []
    coordinator: Any = SimpleNamespace(hooks=Hooks())
    server.on(CHAT, HELLO)
    config = {"base_url": server.base_url, "use_responses_api": False}
    provider = OpenAIProvider("test-key", config=config, coordinator=coordinator)

    await provider.complete(say())
    await provider.close()

    blocks = [f"llm:stream_block_{name}" for name in ("start", "delta", "end")]
    assert seen == [
        "llm:request",
        "provider:concurrency",
        *blocks,
        "llm:response",
    ]


async def test_the_request_does_not_wait_for_the_hooks_of_the_gate(coordinator, server, chat, say):
    released, order = asyncio.Event(), []

    async def hold(_event, _data):
        await released.wait()
        order.append("concurrency")

    async def hear(event, _data):
        order.append(event)

    def answer(_request):
        released.set()
        return Answer.json(completion("Hello"))

    coordinator.hooks.register("provider:concurrency", hold)
    coordinator.hooks.register("llm:response", hear)
    server.on(CHAT, answer)

    await chat.complete(say(metadata={"stream": False}))

    assert order == ["concurrency", "llm:response"]


async def test_the_request_waits_for_the_hooks_that_are_told_of_it(coordinator, server, chat, say):
    order = []

    async def hear(event, _data):
        await asyncio.sleep(0.01)
        order.append(event)

    def answer(_request):
        order.append("answered")
        return Answer.json(completion("Hello"))

    coordinator.hooks.register("llm:request", hear)
    server.on(CHAT, answer)

    await chat.complete(say(metadata={"stream": False}))

    assert order == ["llm:request", "answered"]


async def test_each_attempt_is_told_before_it_is_tried_again(server, make_provider, say, events):
    server.on(CHAT, BUSY, Answer.json(completion("Hello")))
    provider = make_provider(use_responses_api=False, max_retries=1, min_retry_delay=0.01)

    await provider.complete(say(metadata={"stream": False}))

    assert [name for name, _ in events] == [
        "llm:request",
        "provider:concurrency",
        "provider:retry",
        "provider:concurrency",
        "llm:response",
    ]


async def test_what_waits_is_dropped_when_the_call_is_cancelled(coordinator):
    held, seen = asyncio.Event(), []

    async def hold(event, _data):
        seen.append(event)
        await held.wait()

    for name in ("x:first", "x:second"):
        coordinator.hooks.register(name, hold)
    outbox = Outbox(coordinator.hooks)
    outbox.put(Note("x:first", {}))
    outbox.put(Note("x:second", {}))
    while not seen:
        await asyncio.sleep(0.01)

    outbox.cancel()
    held.set()
    with pytest.raises(asyncio.CancelledError):
        await outbox.flush()

    assert seen == ["x:first"]
