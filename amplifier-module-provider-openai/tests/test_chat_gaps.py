"""Chat Completions as servers write it, beyond what the standard shows (contract §3.3, §4)."""

from __future__ import annotations

import asyncio

import pytest

from amplifier_module_provider_openai.chat_chunks import ChunkStream
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


async def test_the_beginning_is_shown_before_the_rest_is_parsed(
    server, chat, say, events, monkeypatch
):
    pieces = [chunk(role="assistant"), *(chunk(f"{n} ") for n in range(50)), chunk(finish="stop")]
    server.on(CHAT, stream(*pieces))
    parsed = []
    take = ChunkStream.take

    def count(self, received):
        parsed.append([name for name, _ in events].count("llm:stream_block_delta"))
        take(self, received)

    monkeypatch.setattr(ChunkStream, "take", count)
    await chat.complete(say())

    assert len(parsed) == len(pieces) + 1
    assert parsed[:2] == [0, 0]
    assert parsed[2] == 1


async def test_a_slow_hook_holds_up_neither_the_stream_nor_its_clock(
    server, make_provider, say, coordinator
):
    async def hold(_event, _data):
        await asyncio.sleep(0.6)

    coordinator.hooks.register("llm:stream_block_start", hold)
    provider = make_provider(use_responses_api=False, stream_idle_timeout=0.3)
    server.on(CHAT, stream(*HELLO))

    assert (await provider.complete(say())).text == "Hello"


@pytest.mark.parametrize(
    ("config", "fields", "sent"),
    [
        ({"stop": "END", "seed": 1}, {}, {"stop": ["END"], "seed": 1}),
        ({"stop": ["END"], "seed": 1}, {"stop": ["."], "seed": 2}, {"stop": ["."], "seed": 2}),
        ({}, {"seed": 0}, {"seed": 0}),
    ],
)
async def test_stop_and_seed_come_from_the_request_or_config(
    server, make_provider, say, config, fields, sent
):
    server.on(CHAT, stream(*HELLO))

    await make_provider(use_responses_api=False, **config).complete(say(**fields))

    (body,) = server.bodies(CHAT)
    assert {key: body[key] for key in ("stop", "seed") if key in body} == sent
