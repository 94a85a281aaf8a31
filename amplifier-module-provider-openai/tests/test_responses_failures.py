"""Responses that fail: what is paid for once, and what says nothing about the protocol."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, response, response_stream, sse, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
QUEUED = Answer.json(response(status="queued", output=[]))
FAILURES = [
    ({"code": "rate_limit_exceeded", "message": "slow"}, kernel.RateLimitError),
    ({"code": "server_error", "message": "boom"}, kernel.StreamError),
    ({"code": "context_length_exceeded", "message": "too long"}, kernel.ContextLengthError),
    ({"code": "invalid_prompt", "message": "no"}, kernel.InvalidRequestError),
    ({"code": "image_too_large", "message": "no"}, kernel.InvalidRequestError),
    ({"code": "image_content_policy_violation", "message": "no"}, kernel.ContentFilterError),
    ({"code": "insufficient_quota", "message": "pay"}, kernel.QuotaExceededError),
]


async def test_a_failed_poll_is_no_reason_for_another_protocol(server, make_provider, say):
    server.on(RESPONSES, QUEUED).on("/responses/resp_1", Answer(b"Not Found", 404)).on(CHAT, HELLO)
    provider = make_provider(poll_interval=0.01, max_retries=2, min_retry_delay=0.01)

    with pytest.raises(kernel.NotFoundError):
        await provider.complete(say(), background=True)

    assert server.paths() == [RESPONSES, "/responses/resp_1"]


async def test_a_background_that_fails_is_not_begun_anew(server, make_provider, say):
    failed = response(status="failed", error={"code": "server_error", "message": "boom"})
    server.on(RESPONSES, QUEUED).on("/responses/resp_1", Answer.json(failed))
    provider = make_provider(poll_interval=0.01, max_retries=2, min_retry_delay=0.01)

    with pytest.raises(kernel.LLMError, match="boom") as caught:
        await provider.complete(say(), background=True)

    assert server.paths().count(RESPONSES) == 1
    assert caught.value.retryable is False


async def test_how_often_to_ask_is_an_option(server, make_provider, say):
    done = Answer.json(response(text="Done"))
    server.on(RESPONSES, QUEUED).on("/responses/resp_1", done)
    provider = make_provider(poll_interval=60, background_timeout=5)

    answer = await provider.complete(say(), background=True, poll_interval="0.01")

    assert answer.text == "Done"


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(("error", "kind"), FAILURES)
async def test_a_failed_response_is_one_of_responses(
    server, make_provider, say, error, kind, streaming
):
    whole = Answer.json(response(status="failed", error=error))
    failed = response_stream(status="failed", error=error) if streaming else whole
    server.on(RESPONSES, failed).on(CHAT, HELLO)

    with pytest.raises(kind):
        await make_provider().complete(say(metadata={"stream": streaming}))

    assert server.paths() == [RESPONSES]


@pytest.mark.parametrize(("error", "kind"), FAILURES)
async def test_an_error_event_is_one_of_responses(server, make_provider, say, error, kind):
    begun = response_stream(complete=False)
    told = sse({"type": "error", "sequence_number": 9, **error}, done=False)
    begun.pieces = [(begun.pieces or [])[0], told]
    server.on(RESPONSES, begun).on(CHAT, HELLO)

    with pytest.raises(kind):
        await make_provider().complete(say())

    assert server.paths() == [RESPONSES]


async def test_a_prompt_that_is_too_long_is_so_in_any_shape(server, make_provider, say):
    said = {"error": {"message": "the prompt exceeds the context window", "code": 400}}
    server.on(RESPONSES, Answer.json(said)).on(CHAT, HELLO)

    with pytest.raises(kernel.ContextLengthError):
        await make_provider().complete(say(metadata={"stream": False}))

    assert server.paths() == [RESPONSES]


@pytest.mark.parametrize("ending", ["close", "reset", "hang"])
@pytest.mark.parametrize("setting", ["auto", "true"])
async def test_a_response_that_is_complete_stands(
    server, make_provider, say, events, setting, ending
):
    server.on(RESPONSES, response_stream("Hel", "lo", ending=ending))
    provider = make_provider(use_responses_api=setting, stream_idle_timeout=5, timeout=3)

    answer = await provider.complete(say())

    assert answer.text == "Hello"
    assert len(server.requests) == 1
    assert "llm:stream_aborted" not in [name for name, _ in events]


async def test_a_slow_hook_is_no_silence_of_the_server(server, make_provider, say, coordinator):
    shown = []

    async def slow(_event, data):
        await asyncio.sleep(0.3)
        shown.append(data["text"])

    coordinator.hooks.register("llm:stream_block_delta", slow, name="slow")
    server.on(RESPONSES, response_stream("Hel", "lo"))

    answer = await make_provider(stream_idle_timeout=0.1).complete(say())

    assert answer.text == "".join(shown) == "Hello"


async def test_a_stream_that_ends_without_a_blank_line_is_read(server, make_provider, say):
    begun = response_stream("Hello")
    pieces = begun.pieces or []
    begun.pieces = [pieces[0], b"data: \n\n", *pieces[1:-1], pieces[-1].rstrip(b"\n")]
    server.on(RESPONSES, begun)

    answer = await make_provider(use_responses_api=True).complete(say())

    assert answer.text == "Hello"


@pytest.mark.parametrize(
    "told",
    [
        b'error: {"code":500,"message":"GPU on fire"}\n\n',
        b'event: error\ndata: {"message":"GPU on fire"}\n\n',
        b'event: error\ndata: {"error":{"message":"GPU on fire"}}\n\n',
        b"event: error\ndata: GPU on fire\n\n",
    ],
)
@pytest.mark.parametrize("responses", [True, False])
async def test_an_error_keeps_its_words_in_any_shape(server, make_provider, say, told, responses):
    begun = response_stream("Hel", complete=False)
    begun.pieces = [*(begun.pieces or []), told]
    server.on(RESPONSES, begun).on(CHAT, stream(chunk("Hel"), told, done=False))

    with pytest.raises(kernel.LLMError, match="GPU on fire"):
        await make_provider(use_responses_api=responses).complete(say())


CUT = response(text="One,", status="incomplete", incomplete_details={"reason": "max_output_tokens"})


@pytest.fixture
def openai(make_provider, url_at):
    """The scripted server in OpenAI's place."""
    return make_provider(base_url=url_at("api.openai.com"), poll_interval=0.01)


async def test_a_background_that_was_cut_off_is_gone_on_with_in_the_foreground(
    server, openai, say, events
):
    server.on(RESPONSES, QUEUED, Answer.json(response(text="two.", id="resp_2")))
    server.on("/responses/resp_1", Answer.json(CUT))

    answer = await openai.complete(say(), background=True)

    assert answer.text == "One,\n\ntwo."
    assert ["background" in body for body in server.bodies(RESPONSES)] == [True, False]


async def test_a_follow_up_that_failed_is_not_joined(server, openai, say, caplog):
    error = {"code": "server_error", "message": "no luck with test-key"}
    failed = response(status="failed", id="resp_3", error=error)
    server.on(RESPONSES, Answer.json(CUT), Answer.json(failed))

    answer = await openai.complete(say(metadata={"stream": False}))

    assert (answer.text, answer.finish_reason) == ("One,", "length")
    assert "no luck with [api_key]" in caplog.text
    assert answer.metadata["openai:status"] == "incomplete"


async def test_a_key_that_comes_back_with_a_follow_up_is_told_to_nobody(
    server, openai, say, caplog
):
    refused = Answer.json({"error": {"message": "test-key is over its limit"}}, 400)
    server.on(RESPONSES, Answer.json(CUT), refused)

    await openai.complete(say(metadata={"stream": False}))

    assert "is over its limit" in caplog.text
    assert "test-key" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"<html>Sign in</html>", content_type="text/html"), "it begins: <html>Sign in"),
        (Answer(b""), "it begins: nothing"),
        (Answer.json({"error": {"message": "no room", "code": "invalid_prompt"}}), "no room"),
        (Answer.json({"choices": []}), "not of the Responses API"),
    ],
)
async def test_a_body_that_is_no_stream_is_told_and_not_asked_for_again(
    server, make_provider, say, answer, said
):
    server.on(RESPONSES, answer)
    provider = make_provider(use_responses_api=True, max_retries=2, min_retry_delay=0.01)

    with pytest.raises(kernel.LLMError) as caught:
        await provider.complete(say())

    assert said in str(caught.value)
    assert not caught.value.retryable
    assert server.paths() == [RESPONSES]


async def test_a_whole_answer_in_place_of_a_stream_is_taken_and_shown(
    server, make_provider, say, events
):
    server.on(RESPONSES, Answer.json(response(text="Hello")))

    answer = await make_provider(use_responses_api=True).complete(say())

    shown = [data["text"] for name, data in events if name == "llm:stream_block_delta"]
    assert answer.text == "".join(shown) == "Hello"
    assert [name for name, _ in events if name.endswith("block_end")] == ["llm:stream_block_end"]


async def test_comments_are_no_silence(server, make_provider, say):
    answered = response_stream("Hello")
    kept_alive = [b": processing\n\n"] * 12 + (answered.pieces or [])
    server.on(RESPONSES, replace(answered, pieces=kept_alive, pause=0.1))
    provider = make_provider(use_responses_api=True, stream_idle_timeout=0.8)

    answer = await provider.complete(say())

    assert answer.text == "Hello"


@pytest.mark.parametrize(
    ("error", "said"), [(None, "the response is failed"), ({"message": "boom"}, "boom")]
)
async def test_a_failed_response_says_so(server, make_provider, say, error, said):
    server.on(RESPONSES, Answer.json(response(status="failed", error=error, output=[])))

    with pytest.raises(kernel.StreamError, match=said):
        await make_provider(use_responses_api=True).complete(say(metadata={"stream": False}))
