"""When a request is made again, and how long that waits (contract §4.2, check 17)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import openai
import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, completion, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))


def refused(status, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer.json({"error": {"message": "busy"}}, status, headers=named)


@pytest.fixture(params=[CHAT, RESPONSES])
def patient(request, server, make_provider):
    """Makes providers of either protocol, after these answers."""

    def make(*answers, **config):
        good = HELLO if request.param == CHAT else response_stream("Hello")
        server.on(request.param, *answers, good)
        config = {"retry_jitter": "false", "min_retry_delay": 0.01, "max_retries": 2, **config}
        return make_provider(use_responses_api=request.param == RESPONSES, **config)

    return make


def waits(server):
    """Seconds between the requests, as the server saw them."""
    return [after.at - before.at for before, after in pairwise(server.requests)]


def delays(events):
    return [data["delay"] for name, data in events if name == "provider:retry"]


async def test_each_wait_is_twice_the_one_before_and_bounded(server, patient, say, events):
    provider = patient(
        *[refused(503)] * 4, max_retries=5, min_retry_delay="0.1", max_retry_delay="0.3"
    )

    answer = await provider.complete(say())

    assert answer.text == "Hello"
    assert delays(events) == pytest.approx([0.1, 0.2, 0.3, 0.3])
    for waited, delay in zip(waits(server), delays(events), strict=True):
        assert delay <= waited


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "0.4"}, 0.4),
        ({"x_ms_retry_after_ms": "400"}, 0.4),
        ({"retry_after": "0.3", "x_ms_retry_after_ms": "4000"}, 0.3),
        ({"retry_after": "soon"}, 0.01),
    ],
)
async def test_as_long_as_the_server_says(server, patient, say, events, headers, seconds):
    answer = await patient(refused(429, **headers)).complete(say())

    assert answer.text == "Hello"
    assert delays(events) == [pytest.approx(seconds)]
    assert seconds <= waits(server)[0]


@pytest.mark.parametrize("streaming", [True, False])
async def test_longer_than_allowed_fails_at_once(server, patient, say, events, streaming):
    provider = patient(refused(429, retry_after="61"))

    async with asyncio.timeout(30):
        with pytest.raises(kernel.RateLimitError) as caught:
            await provider.complete(say(metadata={"stream": streaming}))

    assert (caught.value.retryable, caught.value.retry_after) == (False, 61.0)
    assert len(server.requests) == 1
    assert delays(events) == []


async def test_a_server_in_trouble_is_not_waited_for_beyond_the_bound(server, patient, say, events):
    """It may fail at once or ask again soon; it may not wait for an hour."""
    provider = patient(refused(503, retry_after="3600"))

    async with asyncio.timeout(30):
        try:
            assert (await provider.complete(say())).text == "Hello"
        except kernel.ProviderUnavailableError:
            assert len(server.requests) == 1

    assert all(delay <= 60 for delay in delays(events))


async def test_a_wait_varies_unless_told_otherwise(server, patient, say, events):
    config = {"max_retries": 3, "min_retry_delay": 0.05, "retry_jitter": "true"}
    provider = patient(*[refused(503)] * 3, **config)

    await provider.complete(say())

    plain = [0.05, 0.1, 0.2]
    assert delays(events) != plain
    assert delays(events) == pytest.approx(plain, rel=0.51)  # as core 2.0.2 does it


@pytest.mark.parametrize("retries", ["0", 0])
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    "answer", [refused(429), refused(500), refused(503), Answer.nothing("reset")]
)
async def test_without_retries_one_request_is_made(
    server, patient, say, events, retries, streaming, answer
):
    provider = patient(answer, max_retries=retries)

    with pytest.raises(kernel.LLMError):
        await provider.complete(say(metadata={"stream": streaming}))

    assert len(server.requests) == 1
    assert delays(events) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422])
async def test_what_waiting_does_not_cure_is_not_tried_again(server, patient, say, status):
    with pytest.raises(kernel.LLMError) as caught:
        await patient(refused(status)).complete(say())

    assert not caught.value.retryable
    assert len(server.requests) == 1


@pytest.fixture
def impatient(server, make_provider):
    """A provider whose SDK itself gives up soon."""
    provider = make_provider(max_retries=1, min_retry_delay=0.01, use_responses_api="auto")
    provider._client = openai.AsyncOpenAI(
        base_url=server.base_url, api_key="k", timeout=0.2, max_retries=0
    )
    return provider


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
@pytest.mark.parametrize("streaming", [True, False])
async def test_the_sdks_own_timeout_is_a_timeout(server, impatient, say, events, path, streaming):
    """Not a broken connection, and no word about the protocol."""
    server.on(RESPONSES, *([Answer(b"", 404)] if path == CHAT else []), silence())
    server.on(CHAT, silence())

    with pytest.raises(kernel.LLMTimeoutError) as caught:
        await impatient.complete(say(metadata={"stream": streaming}))

    causes = [caught.value.__cause__, getattr(caught.value.__cause__, "__cause__", None)]
    assert any("Timeout" in type(cause).__name__ for cause in causes)
    assert caught.value.retryable
    assert f"{server.base_url}{path}" in str(caught.value)
    assert server.paths().count(path) == 2
    assert (CHAT in server.paths()) is (path == CHAT)
    assert len(delays(events)) == 1


async def test_a_timeout_then_an_answer(server, impatient, say):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, silence(), Answer.json(completion("Hello")))

    answer = await impatient.complete(say(metadata={"stream": False}))

    assert answer.text == "Hello"


def silence():
    return Answer(wait=asyncio.Event())
