"""The path everybody takes first: a question to a local server, whole and streamed."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors

from scripted_server import Answer, chunk, completion, response, response_stream, stream, usage

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(
    chunk("Hel"), chunk("lo"), chunk(finish="stop"), {**chunk(), "choices": [], "usage": usage()}
)


async def test_chat_streams_text_and_usage(server, chat, say):
    server.on(CHAT, HELLO)

    answer = await chat.complete(say())

    assert answer.text == "Hello"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert answer.finish_reason == "stop"


async def test_chat_answers_whole(server, chat, say):
    server.on(CHAT, Answer.json(completion("Hello")))

    answer = await chat.complete(say(metadata={"stream": False}))

    assert answer.text == "Hello"
    assert "stream" not in server.bodies(CHAT)[0]


async def test_responses_streams(server, make_provider, say, events):
    server.on(RESPONSES, response_stream("Hel", "lo"))

    answer = await make_provider().complete(say())

    assert answer.text == "Hello"
    assert [d["text"] for n, d in events if n == "llm:stream_block_delta"] == ["Hel", "lo"]


async def test_responses_answers_whole(server, make_provider, say):
    server.on(RESPONSES, Answer.json(response(text="Hello")))

    answer = await make_provider().complete(say(metadata={"stream": False}))

    assert answer.text == "Hello"


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_404_with_a_reset_goes_to_chat_and_stays_there(
    server, make_provider, say, events, streaming
):
    whole, streamed = Answer.json(completion("Hello")), HELLO
    server.on(RESPONSES, Answer.unread_404()).on(CHAT, streamed if streaming else whole)
    provider = make_provider(max_retries=5)

    answers = [
        await provider.complete(say("x" * 100_000, metadata={"stream": streaming})) for _ in "12"
    ]

    assert [answer.text for answer in answers] == ["Hello", "Hello"]
    assert server.paths() == [RESPONSES, CHAT, CHAT]
    names = [name for name, _ in events]
    assert names.count("provider:protocol_fallback") == 1
    assert "provider:retry" not in names


async def test_a_404_with_a_reset_is_explained_when_responses_is_forced(server, make_provider, say):
    server.on(RESPONSES, Answer.unread_404())

    with pytest.raises(llm_errors.LLMError) as caught:
        await make_provider(use_responses_api="true").complete(say("x" * 100_000))

    assert "use_responses_api" in str(caught.value)
    assert f"{server.base_url}/responses" in str(caught.value)
    assert "(no message)" not in str(caught.value)
