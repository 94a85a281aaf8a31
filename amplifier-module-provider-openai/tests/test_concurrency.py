"""Many requests at once (contract §1.8)."""

from __future__ import annotations

import asyncio
import os

import pytest

from amplifier_module_provider_openai.gate import _get_process_semaphore, _load
from scripted_server import Answer, chunk, completion, stream

CHAT = "/chat/completions"


def echo(request):
    """A stream that says what the request asked."""
    words = request.json["messages"][0]["content"].split()
    return stream(*(chunk(f"{word} ") for word in words), chunk(finish="stop"))


async def test_a_hundred_streams_keep_their_answers_apart(server, make_provider, say):
    server.on(CHAT, echo)
    provider = make_provider(use_responses_api=False, max_concurrent_requests=0)
    questions = [" ".join(f"{n}-{word}" for word in range(20)) for n in range(100)]
    tasks_before = asyncio.all_tasks()

    answers = await asyncio.gather(*(provider.complete(say(text)) for text in questions))
    await provider.close()
    while server.open_connections:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)

    assert [answer.text.strip() for answer in answers] == questions
    assert asyncio.all_tasks() <= tasks_before | {asyncio.current_task()}


async def test_no_more_than_allowed_at_once(server, make_provider, say, events):
    server.on(CHAT, echo)
    providers = [
        make_provider(use_responses_api=False, max_concurrent_requests="2") for _ in range(2)
    ]

    await asyncio.gather(*(provider.complete(say("a b")) for provider in providers * 4))

    told = [data for name, data in events if name == "provider:concurrency"]
    assert server.most_in_flight <= 2
    assert len(told) == 8
    assert {data["max_concurrent"] for data in told} == {2}
    assert all(1 <= data["active_requests"] <= 2 for data in told)
    assert told[0]["process_id"] == os.getpid()


async def test_limits_of_two_providers_do_not_replace_each_other():
    two, three = await _get_process_semaphore(2), await _get_process_semaphore(3)

    assert await _get_process_semaphore(2) is two
    assert await _get_process_semaphore(3) is three
    assert await _get_process_semaphore(0) is None


async def test_one_who_gives_up_waiting_is_not_counted_for_ever(server, make_provider, say):
    held = Answer.json(completion("Hi"))
    held.wait = asyncio.Event()
    server.on(CHAT, held)
    provider = make_provider(use_responses_api=False, max_concurrent_requests=1)
    request = say(metadata={"stream": False})
    first = asyncio.create_task(provider.complete(request))
    second = asyncio.create_task(provider.complete(request))
    while not _load.waiting:
        await asyncio.sleep(0.01)

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    held.wait.set()
    await first

    assert (_load.waiting, _load.active) == (0, 0)


async def test_a_slot_is_free_while_waiting_for_a_retry(server, make_provider, say, events):
    busy = Answer.json({"error": {"message": "busy"}}, 503)
    server.on(CHAT, busy, echo)
    config = {"max_concurrent_requests": 1, "max_retries": 1, "min_retry_delay": 1.5}
    provider = make_provider(use_responses_api=False, **config)

    first = asyncio.create_task(provider.complete(say("first")))
    while "provider:retry" not in [name for name, _ in events]:
        await asyncio.sleep(0.01)
    second = await provider.complete(say("second"))

    assert not first.done()
    assert second.text.strip() == "second"
    assert (await first).text.strip() == "first"
