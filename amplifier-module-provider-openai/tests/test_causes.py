"""Which failures led to an error, and which only came before it (contract §4.3, §7.4)."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
# Nothing is wrong with the connection: only the end is missing.
TRUNCATED = stream(chunk("Hel"), done=False)
NOT_FOUND = Answer(b"Not Found", 404, "text/plain")


async def test_the_404_before_a_fallback_is_not_the_status_of_what_chat_runs_into(
    server, make_provider, say
):
    server.on(RESPONSES, NOT_FOUND).on(CHAT, TRUNCATED)
    provider = make_provider()

    for _ in range(2):
        with pytest.raises(kernel.StreamError, match="finish reason") as caught:
            await provider.complete(say())
        assert (caught.value.status_code, caught.value.retryable) == (None, True)

    assert server.paths() == [RESPONSES, CHAT, CHAT]


async def test_the_404_before_a_fallback_does_not_keep_chat_from_being_tried_again(
    server, make_provider, say
):
    server.on(RESPONSES, NOT_FOUND).on(CHAT, TRUNCATED, HELLO)

    answer = await make_provider(max_retries=1, min_retry_delay=0.01).complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, CHAT, CHAT]


@pytest.mark.parametrize(
    ("path", "cut", "setting"),
    [(CHAT, TRUNCATED, False), (RESPONSES, stream({"type": "ping"}, done=False), True)],
)
async def test_a_dead_connection_is_not_what_its_successor_runs_into(
    server, make_provider, say, path, cut, setting
):
    server.on(path, HELLO if path == CHAT else response_stream("Hello"))
    provider = make_provider(use_responses_api=setting)
    await provider.complete(say())

    server.on(path, Answer.nothing("reset"), cut)
    with pytest.raises(kernel.StreamError) as caught:
        await provider.complete(say())

    assert len(server.requests) == 3
    assert "ReadError" not in str(caught.value)


async def test_a_lost_chain_is_not_what_the_request_without_it_runs_into(
    server, make_provider, say, url_at
):
    lost = {"error": {"message": "x", "code": "previous_response_not_found"}}
    failed = response_stream(status="failed", error={"code": "server_error", "message": "boom"})
    server.on(RESPONSES, Answer.json(lost, 404), failed)
    provider = make_provider(base_url=url_at("api.openai.com"), enable_state=True)
    history = [
        {"role": "assistant", "content": "A", "metadata": {"openai:response_id": "resp_0"}},
        {"role": "user", "content": "B"},
    ]

    with pytest.raises(kernel.StreamError, match="boom") as caught:
        await provider.complete(say(messages=history))

    assert caught.value.status_code is None


class CallersError(Exception):
    """As an HTTP library's, with a status."""

    status_code = 401


async def complete_while_handling_another(provider, request):
    """As an application does that asks one provider where another one failed."""

    def fail():
        raise CallersError

    try:
        fail()
    except CallersError:
        return await provider.complete(request)


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
async def test_what_the_caller_is_handling_has_led_to_nothing_here(
    server, make_provider, say, path
):
    cut = TRUNCATED if path == CHAT else response_stream("Hel", complete=False)
    server.on(path, cut)
    provider = make_provider(use_responses_api=path == RESPONSES)

    with pytest.raises(kernel.StreamError) as caught:
        await complete_while_handling_another(provider, say())

    assert (caught.value.status_code, caught.value.retryable) == (None, True)


async def test_a_fallback_goes_the_same_way_while_the_caller_handles_an_error(
    server, make_provider, say
):
    server.on(RESPONSES, Answer.unread_404()).on(CHAT, HELLO)

    answer = await complete_while_handling_another(make_provider(), say("x" * 3_000_000))

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, CHAT]
