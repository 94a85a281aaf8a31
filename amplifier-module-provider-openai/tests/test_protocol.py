"""Which protocol a server is asked in (contract §7.4), first of all issue #246's reset."""

from __future__ import annotations

import asyncio
import logging

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import Message
from openai import AsyncOpenAI

from amplifier_module_provider_openai import OpenAIProvider
from scripted_server import Answer, chunk, completion, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
FALLBACK = "provider:protocol_fallback"
BIG = "x" * 3_000_000


def names(events):
    return [name for name, _ in events]


async def test_responses_is_tried_first_and_streams(server, make_provider, say, events):
    server.on(RESPONSES, response_stream("Hel", "lo"))

    answer = await make_provider().complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES]
    shown = [d["text"] for n, d in events if n == "llm:stream_block_delta"]
    assert "".join(shown) == "Hello"


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_404_with_a_reset_goes_to_chat_and_stays_there(
    server, make_provider, say, events, streaming
):
    server.on(RESPONSES, Answer.unread_404())
    server.on(CHAT, HELLO if streaming else Answer.json(completion("Hello")))
    provider = make_provider(max_retries=5)
    request = say(BIG, metadata={"stream": streaming})

    answers = [await provider.complete(request) for _ in range(2)]

    assert [answer.text for answer in answers] == ["Hello", "Hello"]
    assert server.paths() == [RESPONSES, CHAT, CHAT]
    assert names(events)[:3] == ["llm:request", "provider:concurrency", FALLBACK]
    assert names(events).count(FALLBACK) == 1
    assert names(events)[-1] == "llm:response"
    assert "provider:retry" not in names(events)


async def test_a_reset_is_explained_when_responses_is_forced(server, make_provider, say):
    server.on(RESPONSES, Answer.unread_404())

    with pytest.raises(kernel.LLMError) as caught:
        await make_provider(use_responses_api="true").complete(say(BIG))

    assert "use_responses_api" in str(caught.value)
    assert f"{server.base_url}/responses" in str(caught.value)
    assert "(no message)" not in str(caught.value)


WRONG = [
    pytest.param(Answer(b"Not Found", 404, "text/plain"), id="404 text"),
    pytest.param(Answer(b"<html>404</html>", 404, "text/html"), id="404 page"),
    pytest.param(Answer.json({"detail": "Not Found"}, 404), id="404 detail"),
    pytest.param(
        Answer.json({"error": {"code": 404, "message": "File Not Found"}}, 404), id="404 llama.cpp"
    ),
    pytest.param(Answer.json({"detail": "Method Not Allowed"}, 405), id="405"),
    pytest.param(Answer(b"", 410), id="410"),
    pytest.param(Answer.json({"error": {"message": "Not implemented"}}, 501), id="501"),
    pytest.param(
        Answer.json({"error": {"message": "Cannot determine type of 'item'"}}, 400), id="400 item"
    ),
    pytest.param(
        Answer.json({"error": {"message": "'messages' is required"}}, 400), id="400 messages"
    ),
    pytest.param(Answer.json({"detail": "unknown field input"}, 422), id="422"),
    pytest.param(Answer(b"<html>Sign in</html>", content_type="text/html"), id="200 page"),
    pytest.param(Answer(b""), id="200 nothing"),
    pytest.param(Answer.json(completion("Hello")), id="200 completion"),
    pytest.param(Answer.json({"error": {"message": "no such route"}}), id="200 error"),
    pytest.param(HELLO, id="200 chunks"),
    pytest.param(Answer.nothing("reset"), id="reset"),
    pytest.param(Answer.nothing("close"), id="closed"),
]


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("wrong", WRONG)
async def test_a_server_without_responses_is_asked_by_chat(
    server, make_provider, say, events, wrong, streaming
):
    server.on(RESPONSES, wrong)
    server.on(CHAT, HELLO if streaming else Answer.json(completion("Hello")))
    provider = make_provider(max_retries=5)

    for _ in range(2):
        answer = await provider.complete(say(metadata={"stream": streaming}))
        assert answer.text == "Hello"

    assert server.paths() == [RESPONSES, CHAT, CHAT]
    assert names(events).count("llm:request") == names(events).count("llm:response") == 2
    assert "provider:retry" not in names(events)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("right", "kind"),
    [
        (Answer.json({"error": {"message": "no"}}, 401), kernel.AuthenticationError),
        (Answer.json({"error": {"message": "no"}}, 403), kernel.AccessDeniedError),
        (Answer.json({"error": {"message": "slow"}}, 429), kernel.RateLimitError),
        (Answer.json({"error": {"message": "oops"}}, 500), kernel.ProviderUnavailableError),
        (
            Answer.json({"error": {"message": "Loading model"}}, 503),
            kernel.ProviderUnavailableError,
        ),
        (
            Answer.json({"error": {"message": "input exceeds the context window"}}, 400),
            kernel.ContextLengthError,
        ),
        (
            Answer.json({"error": {"message": "The model `tiny` does not exist."}}, 404),
            kernel.NotFoundError,
        ),
        (
            Answer.json({"error": {"message": "temperature too high"}}, 400),
            kernel.InvalidRequestError,
        ),
    ],
)
async def test_other_failures_say_nothing_about_the_protocol(
    server, make_provider, say, right, kind, streaming
):
    server.on(RESPONSES, right).on(CHAT, HELLO)

    with pytest.raises(kind):
        await make_provider().complete(say(metadata={"stream": streaming}))

    assert CHAT not in server.paths()


async def test_neither_does_a_server_that_is_not_there(make_provider, say):
    provider = make_provider(base_url="http://127.0.0.1:9/v1")

    with pytest.raises(kernel.NetworkError) as caught:
        await provider.complete(say())

    assert "responses" in str(caught.value)


async def test_neither_does_silence(server, make_provider, say, events):
    server.on(RESPONSES, Answer(wait=asyncio.Event())).on(CHAT, HELLO)

    with pytest.raises(kernel.LLMTimeoutError):
        await make_provider(stream_idle_timeout=1).complete(say())

    assert server.paths() == [RESPONSES]
    assert FALLBACK not in names(events)


async def test_after_a_delta_there_is_no_way_back(server, make_provider, say, events):
    server.on(RESPONSES, response_stream("Hel", complete=False, ending="reset")).on(CHAT, HELLO)

    with pytest.raises(kernel.StreamError):
        await make_provider().complete(say())

    assert server.paths() == [RESPONSES]
    assert names(events).count("llm:stream_aborted") == 1


async def test_if_chat_fails_too_both_reasons_are_told(server, make_provider, say):
    server.on(RESPONSES, Answer(b"", 405)).on(CHAT, Answer.json({"error": {"message": "why"}}, 400))

    with pytest.raises(kernel.InvalidRequestError) as caught:
        await make_provider().complete(say())

    assert "why" in str(caught.value)
    assert "405" in str(caught.value)


async def test_a_broken_connection_alone_is_not_remembered(server, make_provider, say):
    reset = Answer.nothing("reset")
    refusal = Answer.json({"error": {"message": "why"}}, 400)
    server.on(RESPONSES, reset, response_stream("Hello")).on(CHAT, refusal)
    provider = make_provider()

    with pytest.raises(kernel.InvalidRequestError):
        await provider.complete(say(BIG))
    answer = await provider.complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, CHAT, RESPONSES]


async def test_a_retry_after_the_fallback_stays_with_chat(server, make_provider, say, events):
    busy = Answer.json({"error": {"message": "busy"}}, 503)
    server.on(RESPONSES, Answer(b"", 405)).on(CHAT, busy, HELLO)

    answer = await make_provider(max_retries=1, min_retry_delay=0.01).complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, CHAT, CHAT]
    assert names(events).count("provider:protocol_fallback") == 1


async def test_a_block_that_was_begun_and_not_filled_is_another_streams(
    server, make_provider, say, events
):
    begun = response_stream("Hi")
    begun.pieces = [*(begun.pieces or [])[:2], b"data: nonsense\n\n"]
    server.on(RESPONSES, begun).on(CHAT, HELLO)

    answer = await make_provider().complete(say())

    ids = [d["request_id"] for n, d in events if n == "llm:stream_block_start"]
    assert answer.text == "Hello"
    assert len(set(ids)) == 2


async def test_the_event_and_one_line_name_the_setting(server, make_provider, say, events, caplog):
    server.on(RESPONSES, Answer(b"", 405)).on(CHAT, HELLO)
    url = server.base_url.replace("http://", "http://joe:secret@")
    caplog.set_level(logging.INFO, "amplifier_module_provider_openai")

    await make_provider(base_url=url).complete(say())

    (payload,) = [data for name, data in events if name == "provider:protocol_fallback"]
    assert payload["from"] == "responses"
    assert payload["to"] == "chat_completions"
    assert payload["status_code"] == 405
    assert payload["base_url"] == server.base_url
    lines = [r.getMessage() for r in caplog.records if "use_responses_api" in r.getMessage()]
    assert len(lines) == 1
    assert "secret" not in caplog.text


async def test_other_providers_of_the_process_know_too(server, make_provider, say):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)

    await make_provider().complete(say())
    await make_provider().complete(say())

    assert server.paths() == [RESPONSES, CHAT, CHAT]


async def test_a_server_that_was_exchanged_is_found_out_again(server, make_provider, say):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)
    provider = make_provider()
    await provider.complete(say())

    server.on(RESPONSES, response_stream("Hi")).on(CHAT, Answer(b"Not Found", 404))
    with pytest.raises(kernel.NotFoundError):
        await provider.complete(say())
    answer = await provider.complete(say())

    assert answer.text == "Hi"


async def test_a_404_of_chat_that_tells_of_something_else_reopens_nothing(
    server, make_provider, say
):
    failed = Answer.json({"error": "index out of range"}, 404)
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO, failed, HELLO)
    provider = make_provider()
    await provider.complete(say())

    with pytest.raises(kernel.NotFoundError, match="index out of range"):
        await provider.complete(say())
    await provider.complete(say())

    assert server.paths().count(RESPONSES) == 1


@pytest.mark.parametrize("fields", [{"stop": ["END"]}, {"response_format": {"type": "json"}}])
async def test_what_responses_cannot_say_goes_by_chat(server, make_provider, say, fields):
    server.on(RESPONSES, response_stream("Hi")).on(CHAT, HELLO)

    await make_provider().complete(say(**fields))

    assert server.paths() == [CHAT]


@pytest.mark.parametrize("setting", [True, "true", "TRUE", "yes", 1])
async def test_responses_by_setting(server, make_provider, say, setting):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)

    with pytest.raises(kernel.NotFoundError):
        await make_provider(use_responses_api=setting).complete(say(stop=["END"]))

    assert server.paths() == [RESPONSES]


@pytest.mark.parametrize("setting", [False, "false", "off", 0])
async def test_chat_by_setting(server, make_provider, say, setting):
    server.on(CHAT, HELLO)

    await make_provider(use_responses_api=setting).complete(say())

    assert server.paths() == [CHAT]


@pytest.mark.parametrize("setting", ["auto", "Auto", None, ""])
async def test_finding_out_by_setting(server, make_provider, say, setting):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)

    await make_provider(use_responses_api=setting).complete(say())

    assert server.paths() == [RESPONSES, CHAT]


async def test_a_subclass_with_a_client_of_its_own_stays_on_responses(server, say):
    class Elsewhere(OpenAIProvider):
        name = "elsewhere"

        @property
        def client(self):
            self._client = self._client or AsyncOpenAI(base_url=self.base_url, api_key="x")
            return self._client

    provider = Elsewhere("x", config={"max_retries": 0})
    provider.base_url = server.base_url
    server.on(RESPONSES, Answer(b"Not Found", 404)).on(CHAT, HELLO)

    with pytest.raises(kernel.NotFoundError) as caught:
        await provider.complete(say())
    await provider.close()

    assert server.paths() == [RESPONSES]
    assert caught.value.provider == "elsewhere"


async def test_a_conversation_moves_from_responses_to_chat(server, make_provider, say):
    server.on(RESPONSES, response_stream("One"), Answer(b"", 404)).on(CHAT, HELLO)
    provider = make_provider()

    first = await provider.complete(say("1"))
    history = [
        Message(role="user", content="1"),
        Message(role="assistant", content=first.content, metadata=first.metadata),
        Message(role="user", content="2"),
    ]
    await provider.complete(say(messages=history))

    assert [m["content"] for m in server.bodies(CHAT)[0]["messages"]] == ["1", "One", "2"]
