"""Where a connection may break, and overflow inside a stream (contract §3, §4, §7.4)."""

from __future__ import annotations

import asyncio
import json

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, completion, response_stream, sse, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))


def names(events):
    return [name for name, _ in events]


def torn(answer, ending):
    """An answer whose last piece breaks off within an HTTP chunk."""
    *pieces, last = answer.pieces
    return Answer(content_type=answer.content_type, pieces=pieces, torn=last, ending=ending)


TEXTS = [" there"] * 40


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_break_within_an_http_chunk(server, chat, say, events, ending):
    server.on(CHAT, torn(stream(chunk("Hel"), chunk("".join(TEXTS)), done=False), ending))

    with pytest.raises(kernel.StreamError) as caught:
        await chat.complete(say())

    assert caught.value.retryable
    assert f"{server.base_url}{CHAT}" in str(caught.value)
    assert names(events).count("llm:stream_aborted") == 1
    assert names(events)[-1] == "llm:response"


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_break_within_the_first_http_chunk(server, chat, say, events, ending):
    server.on(CHAT, torn(stream(chunk("".join(TEXTS)), done=False), ending))

    with pytest.raises((kernel.NetworkError, kernel.StreamError)) as caught:
        await chat.complete(say())

    assert caught.value.retryable
    assert "llm:stream_aborted" not in names(events)


@pytest.mark.parametrize("setting", ["auto", "true"])
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_break_within_an_http_chunk_of_responses(
    server, make_provider, say, events, ending, setting
):
    server.on(RESPONSES, torn(response_stream("Hel", *TEXTS, complete=False), ending))
    server.on(CHAT, HELLO)

    with pytest.raises(kernel.StreamError) as caught:
        await make_provider(use_responses_api=setting).complete(say())

    assert caught.value.retryable
    assert server.paths() == [RESPONSES]
    assert names(events).count("llm:stream_aborted") == 1


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_whole_answer_that_is_shorter_than_promised(server, chat, say, ending):
    body = json.dumps(completion("Hello")).encode()
    promised = {"content-length": str(len(body) + 99)}
    server.on(CHAT, Answer(body, headers=promised, ending=ending))

    with pytest.raises((kernel.NetworkError, kernel.StreamError)) as caught:
        await chat.complete(say(metadata={"stream": False}))

    assert caught.value.retryable
    assert f"{server.base_url}{CHAT}" in str(caught.value)


@pytest.mark.parametrize("ending", ["close", "reset", "hang"])
async def test_a_break_after_the_end_costs_nothing(server, make_provider, say, events, ending):
    server.on(CHAT, stream(chunk("Hello"), chunk(finish="stop"), ending=ending))
    provider = make_provider(use_responses_api=False, max_retries=2, min_retry_delay=0.01)

    answer = await provider.complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [CHAT]
    assert not {"llm:stream_aborted", "provider:retry"} & set(names(events))


@pytest.mark.parametrize("setting", ["auto", "true"])
@pytest.mark.parametrize("ending", ["close", "reset", "hang"])
async def test_a_break_after_the_end_of_responses_costs_nothing(
    server, make_provider, say, events, ending, setting
):
    server.on(RESPONSES, response_stream("Hello", ending=ending))
    config = {"max_retries": 2, "min_retry_delay": 0.01, "stream_idle_timeout": 60}
    provider = make_provider(use_responses_api=setting, **config)

    async with asyncio.timeout(30):
        answer = await provider.complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES]
    assert not {"llm:stream_aborted", "provider:retry"} & set(names(events))


OVERFLOWS = [
    pytest.param({"code": "context_length_exceeded", "message": "too long"}, id="code"),
    pytest.param(
        {"message": "Your input exceeds the context window of this model.", "code": None},
        id="OpenAI, new",
    ),
    pytest.param(
        {"message": "This model's maximum context length is 4096 tokens.", "code": None},
        id="OpenAI, old, and vLLM",
    ),
    pytest.param(
        {"message": "request exceeds the available context size", "code": None}, id="llama.cpp"
    ),
]


def failing(error, *, shown):
    """A stream of Responses that ends in a failed response."""
    answer = response_stream(*shown, status="failed", error=error)
    pieces = answer.pieces or []
    answer.pieces = pieces if shown else [pieces[0], pieces[-1]]
    return answer


def erring(error, *, shown):
    """A stream of Responses that ends in an error event."""
    event = {"type": "error", "param": None, "sequence_number": 9, **error}
    answer = response_stream(*shown, complete=False)
    begun = answer.pieces or []
    answer.pieces = [*(begun if shown else begun[:1]), sse(event, done=False)]
    return answer


@pytest.mark.parametrize("setting", ["auto", "true"])
@pytest.mark.parametrize("make", [failing, erring])
@pytest.mark.parametrize("shown", [[], ["Hel"]])
@pytest.mark.parametrize("error", OVERFLOWS)
async def test_overflow_inside_a_stream_of_responses(
    server, make_provider, say, events, setting, make, shown, error
):
    server.on(RESPONSES, make(error, shown=shown)).on(CHAT, HELLO)
    provider = make_provider(use_responses_api=setting, max_retries=2, min_retry_delay=0.01)

    with pytest.raises(kernel.ContextLengthError) as caught:
        await provider.complete(say())

    assert not caught.value.retryable
    assert error["message"] in str(caught.value)
    assert server.paths() == [RESPONSES]
    assert names(events).count("llm:stream_aborted") == len(shown)
    assert "provider:protocol_fallback" not in names(events)


@pytest.mark.parametrize("shown", [[], [chunk("Hel")]])
@pytest.mark.parametrize("error", OVERFLOWS)
async def test_overflow_inside_a_stream_of_chat(server, make_provider, say, error, shown):
    server.on(CHAT, stream(*shown, {"error": error}))
    provider = make_provider(use_responses_api=False, max_retries=2, min_retry_delay=0.01)

    with pytest.raises(kernel.ContextLengthError) as caught:
        await provider.complete(say())

    assert error["message"] in str(caught.value)
    assert server.paths() == [CHAT]


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
@pytest.mark.parametrize("status", [400, 413, 500])
async def test_overflow_is_tried_once(server, make_provider, say, events, path, status):
    message = "the request exceeds the available context size"
    server.on(path, Answer.json({"error": {"message": message}}, status))
    provider = make_provider(
        use_responses_api=False if path == CHAT else "auto", max_retries=2, min_retry_delay=0.01
    )

    with pytest.raises(kernel.ContextLengthError):
        await provider.complete(say())

    assert server.paths() == [path]
    assert "provider:retry" not in names(events)
