"""Chat Completions as servers write it, beyond what the standard shows (contract §3.3, §4)."""

from __future__ import annotations

import pytest

from scripted_server import Answer, chunk, completion, stream

CHAT = "/chat/completions"
HELLO = (chunk("Hello"), chunk(finish="stop"))


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("done", [True, False])
async def test_a_break_after_the_last_word_takes_nothing_from_the_answer(
    server, make_provider, say, events, ending, done
):
    server.on(CHAT, stream(*HELLO, done=done, ending=ending))
    provider = make_provider(use_responses_api=False, max_retries=1, min_retry_delay=0.01)

    answer = await provider.complete(say())

    assert (answer.text, answer.finish_reason) == ("Hello", "stop")
    assert server.paths() == [CHAT]
    assert [name for name, _ in events].count("llm:stream_block_end") == 1
    assert "llm:stream_aborted" not in [name for name, _ in events]


async def test_silence_after_the_finish_reason_ends_the_wait_and_not_the_answer(
    server, make_provider, say
):
    server.on(CHAT, stream(*HELLO, done=False, ending="hang"))
    provider = make_provider(use_responses_api=False, stream_idle_timeout=0.2)

    assert (await provider.complete(say())).text == "Hello"


async def test_what_is_malformed_after_the_finish_reason_is_an_error_all_the_same(
    server, chat, say
):
    server.on(CHAT, stream(*HELLO, b"data: nonsense\n\n"))

    with pytest.raises(Exception, match="not JSON"):
        await chat.complete(say())


async def test_a_stream_that_calls_itself_json(server, chat, say, events):
    answer = stream(*HELLO)
    answer.content_type = "application/json"
    server.on(CHAT, answer)

    assert (await chat.complete(say())).text == "Hello"
    assert "llm:stream_block_delta" in [name for name, _ in events]


async def test_an_object_that_calls_itself_a_stream(server, chat, say):
    body = Answer.json(completion("Hello")).body
    answer = Answer(content_type="text/event-stream", pieces=[b"\n", b"  ", body[:9], body[9:]])
    server.on(CHAT, answer)

    assert (await chat.complete(say())).text == "Hello"
