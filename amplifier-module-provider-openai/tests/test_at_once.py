"""Calls that come at once find out only once, and wait for no answer but that (contract §7.4)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from amplifier_core import llm_errors as kernel

from amplifier_module_provider_openai import protocol
from scripted_server import Answer, chunk, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))


def names(events):
    return [name for name, _ in events]


@asynccontextmanager
async def first_call_waits(server, call, requests):
    """A call that has sent so many requests and waits for an answer; it is cancelled at the end."""
    first = asyncio.create_task(call)
    while len(server.requests) < requests:
        await asyncio.sleep(0.01)
    yield
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_first_calls_at_once_find_out_once(server, make_provider, say, events):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)
    provider = make_provider()

    answers = await asyncio.gather(*(provider.complete(say()) for _ in range(5)))

    assert [answer.text for answer in answers] == ["Hello"] * 5
    assert server.paths().count(RESPONSES) == 1
    assert names(events).count("provider:protocol_fallback") == 1


async def test_calls_at_once_do_not_wait_for_a_whole_answer(
    server, make_provider, say, monkeypatch
):
    monkeypatch.setattr(protocol, "_PATIENCE", 60)
    endless = response_stream("Hel", complete=False, ending="hang")
    server.on(RESPONSES, endless, response_stream("Hello"))
    provider = make_provider()
    async with first_call_waits(server, provider.complete(say()), 1):
        async with asyncio.timeout(30):
            answer = await provider.complete(say())

    assert answer.text == "Hello"


async def test_calls_at_once_do_not_wait_for_the_first_answer_of_chat(
    server, make_provider, say, events, monkeypatch
):
    monkeypatch.setattr(protocol, "_PATIENCE", 60)
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, Answer(wait=asyncio.Event()), HELLO)
    provider = make_provider()
    async with first_call_waits(server, provider.complete(say()), 2):
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(provider.complete(say()) for _ in range(2)))

    assert [answer.text for answer in answers] == ["Hello"] * 2
    assert server.paths() == [RESPONSES, CHAT, CHAT, CHAT]
    assert names(events).count("provider:protocol_fallback") == 1


async def test_a_call_that_followed_a_suspicion_tells_both_errors(
    server, make_provider, say, monkeypatch
):
    monkeypatch.setattr(protocol, "_PATIENCE", 60)
    server.on(RESPONSES, Answer(b"", 404)).on(
        CHAT, Answer(wait=asyncio.Event()), Answer.json({"error": "no such thing"}, 400)
    )
    provider = make_provider()
    async with first_call_waits(server, provider.complete(say()), 2):
        with pytest.raises(kernel.InvalidRequestError, match="no such thing") as told:
            await provider.complete(say())

    assert "POST /responses answered 404" in str(told.value)


async def test_a_call_that_followed_a_wrong_suspicion_asks_responses_itself(
    server, make_provider, say, caplog, monkeypatch
):
    monkeypatch.setattr(protocol, "_PATIENCE", 60)
    server.on(RESPONSES, Answer.nothing("reset"), response_stream("Hello"))
    server.on(CHAT, Answer(wait=asyncio.Event()), Answer(b"Not Found", 404))
    provider = make_provider()
    async with first_call_waits(server, provider.complete(say()), 2):
        answer = await provider.complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, CHAT, CHAT, RESPONSES]
    assert "stop" not in caplog.text


async def test_nothing_is_suspected_when_the_first_call_has_ended(server, make_provider, say):
    server.on(RESPONSES, Answer(b"", 404), response_stream("Hello")).on(
        CHAT, Answer.json({"error": "no such thing"}, 400)
    )
    provider = make_provider()

    with pytest.raises(kernel.InvalidRequestError):
        await provider.complete(say())
    answer = await provider.complete(say())

    assert answer.text == "Hello"


async def test_one_who_waits_too_long_finds_out_alone(server, make_provider, say, monkeypatch):
    monkeypatch.setattr(protocol, "_PATIENCE", 0.05)
    server.on(RESPONSES, Answer(wait=asyncio.Event()), response_stream("Hello"))
    provider = make_provider()
    async with first_call_waits(server, provider.complete(say()), 1):
        answer = await provider.complete(say())

    assert answer.text == "Hello"
