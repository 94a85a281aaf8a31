"""Answers that end badly are typed errors that say where, why and what to do (contract §3, §4)."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, completion, response_stream, sse, stream

CHAT = "/chat/completions"
PAGE = Answer(b"<html>Sign in</html>", content_type="text/html")


@pytest.fixture
def failure_of(server, chat, say):
    """The error that an answer of the server ends in."""

    async def ask(answer, *, streaming=True):
        server.on(CHAT, answer)
        with pytest.raises(kernel.LLMError) as caught:
            await chat.complete(say(metadata={"stream": streaming}))
        assert f"{server.base_url}/chat/completions" in str(caught.value)
        assert caught.value.provider == "openai"
        assert caught.value.model == "tiny"
        return caught.value

    return ask


CUT = sse(chunk("Hello"), chunk(" there"), done=False)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(stream(chunk("Hel"), done=False), id="closed after a delta"),
        pytest.param(stream(chunk("Hel")), id="done without a finish reason"),
        pytest.param(stream(CUT[:-20], done=False), id="cut within a chunk"),
        pytest.param(stream({**chunk(), "choices": []}), id="no choices in any chunk"),
        pytest.param(stream({**chunk(), "choices": None}), id="choices null in every chunk"),
    ],
)
async def test_a_stream_without_an_end_is_an_error_worth_a_retry(failure_of, answer):
    error = await failure_of(answer)

    assert type(error) is kernel.StreamError
    assert error.retryable
    assert "finish reason" in str(error)


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_connection_that_breaks_in_mid_stream(failure_of, events, ending):
    error = await failure_of(stream(chunk("Hel"), done=False, ending=ending))

    assert type(error) is kernel.StreamError
    assert error.retryable
    (aborted,) = [data for name, data in events if name == "llm:stream_aborted"]
    assert aborted["error"]["type"]
    assert [name for name, _ in events][-1] == "llm:response"


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (PAGE, "Sign in"),
        (Answer(b"", content_type="text/html"), "nothing"),
        (Answer(b""), "nothing"),
        (Answer.json("hello"), "hello"),
        (Answer.json({"object": "list"}), "object"),
        (Answer.json({**completion(), "choices": []}), "choices"),
        (Answer.json({**completion(), "choices": None}), "choices"),
        (Answer.json({**completion(), "choices": ["x"]}), "malformed"),
        (Answer.json({**completion(), "choices": [{}]}), "no message"),
        (Answer.json({**completion(), "choices": [{"text": "Hello"}]}), "malformed"),
        (Answer.json({**completion(), "choices": [{"message": {"tool_calls": 5}}]}), "malformed"),
    ],
)
async def test_a_success_that_is_no_completion(failure_of, answer, said, streaming):
    error = await failure_of(answer, streaming=streaming)

    assert type(error) is kernel.LLMError
    assert not error.retryable
    assert said in str(error)


async def test_a_stream_of_something_else(failure_of):
    error = await failure_of(stream(b"data: [1, 2]\n\n"))

    assert "no JSON object" in str(error)


async def test_a_stream_of_nonsense(failure_of):
    error = await failure_of(stream(chunk("Hel"), b"data: nonsense\n\n", chunk(finish="stop")))

    assert "not JSON" in str(error)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"message": "boom", "type": "server_error"}, kernel.StreamError),
        ("boom", kernel.StreamError),
        ({"message": "bad", "type": "invalid_request_error"}, kernel.InvalidRequestError),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, kernel.RateLimitError),
        ({"message": "no", "code": "content_filter"}, kernel.ContentFilterError),
        (
            {"message": "the request exceeds the available context size", "n_ctx": 512},
            kernel.ContextLengthError,
        ),
    ],
)
async def test_an_error_inside_a_success(failure_of, body, kind, streaming):
    answer = stream(chunk("Hel"), {"error": body}) if streaming else Answer.json({"error": body})

    error = await failure_of(answer, streaming=streaming)

    assert type(error) is kind
    assert (body if isinstance(body, str) else body["message"]) in str(error)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ({"type": "BadRequestError", "code": 400}, kernel.InvalidRequestError, 400),
        ({"code": 401}, kernel.AuthenticationError, 401),
        ({"code": "402"}, kernel.LLMError, 402),
        ({"code": 403}, kernel.AccessDeniedError, 403),
        ({"code": 404}, kernel.NotFoundError, 404),
        ({"code": 429}, kernel.RateLimitError, 429),
        ({"code": 429, "type": "insufficient_quota"}, kernel.QuotaExceededError, 429),
        ({"type": "BadRequestError"}, kernel.InvalidRequestError, None),
        ({"type": "NotFoundError"}, kernel.NotFoundError, None),
        ({"type": "not_found_error"}, kernel.NotFoundError, None),
        ({"type": "AuthenticationError"}, kernel.AuthenticationError, None),
        (
            {"type": "invalid_request_error", "code": "model_not_found"},
            kernel.NotFoundError,
            None,
        ),
        ({"type": "RateLimitError"}, kernel.RateLimitError, None),
        ({"type": "server_error", "code": 500}, kernel.StreamError, None),
        ({"code": 1234}, kernel.StreamError, None),
    ],
)
async def test_an_error_inside_a_success_says_whether_to_try_again(
    failure_of, body, kind, status, streaming
):
    body = {"message": "because", **body}
    answer = stream(chunk("Hel"), {"error": body}) if streaming else Answer.json({"error": body})

    error = await failure_of(answer, streaming=streaming)

    assert type(error) is kind
    assert error.status_code == status
    assert error.retryable is (kind in {kernel.RateLimitError, kernel.StreamError})
    assert "because" in str(error)
    assert "inside an answer of" in str(error)


@pytest.mark.parametrize("finish", ["error", "abort"])
@pytest.mark.parametrize("reported", [{}, {"error": {"message": "provider gone"}}])
async def test_an_answer_that_the_server_gave_up(failure_of, finish, reported):
    error = await failure_of(stream(chunk("Hel"), {**chunk(finish=finish), **reported}))

    assert isinstance(error, kernel.StreamError)
    assert ("provider gone" if reported else repr(finish)) in str(error)


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_error_object_of_its_own_shape(failure_of, streaming):
    error = {"object": "error", "message": "boom", "code": 500}
    answer = stream(chunk("Hel"), error) if streaming else Answer.json(error)

    assert "boom" in str(await failure_of(answer, streaming=streaming))


async def test_what_is_told_of_a_stream_that_broke_has_no_secret(server, chat, say, events):
    server.on(CHAT, stream(chunk("Hel"), {"error": "refused for test-key"}))

    with pytest.raises(kernel.LLMError):
        await chat.complete(say())

    (told,) = [data["error"] for name, data in events if name == "llm:stream_aborted"]
    assert "refused for [api_key]" in told["msg"]
    assert told["type"] == "BrokenAnswerError"


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("streaming", [True, False])
async def test_a_connection_that_breaks_after_the_headers(failure_of, ending, streaming):
    answer = Answer(status=200, read_body=False, headers={"content-length": "99"}, ending=ending)

    error = await failure_of(answer, streaming=streaming)

    assert isinstance(error, kernel.NetworkError | kernel.StreamError)
    assert error.retryable
    assert "conflicting" not in str(error)
    assert "(no message)" not in str(error)


async def test_no_server_at_all(make_provider, say):
    provider = make_provider(use_responses_api=False, base_url="http://127.0.0.1:9/v1")

    with pytest.raises(kernel.NetworkError) as caught:
        await provider.complete(say())

    assert "http://127.0.0.1:9/v1/chat/completions" in str(caught.value)
    assert "running" in str(caught.value)
    assert caught.value.retryable


async def test_a_proxy_that_may_be_in_the_way_is_named(make_provider, say, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with pytest.raises(kernel.NetworkError) as caught:
        await make_provider(use_responses_api=False, base_url="http://127.0.0.1:9/v1").complete(
            say()
        )

    assert "HTTP_PROXY" in str(caught.value)


async def test_silence_before_the_first_chunk_ends_by_itself(server, make_provider, say):
    server.on(CHAT, stream(done=False, ending="hang"))
    provider = make_provider(use_responses_api=False, stream_idle_timeout=0.1)

    with pytest.raises(kernel.LLMTimeoutError) as caught:
        await provider.complete(say())

    assert "stream_idle_timeout" in str(caught.value)
    assert f"{server.base_url}{CHAT}" in str(caught.value)
    assert caught.value.retryable


async def test_silence_after_a_chunk_ends_by_itself(server, make_provider, say, events):
    server.on(CHAT, stream(chunk("Hel"), done=False, ending="hang"))
    provider = make_provider(use_responses_api=False, stream_idle_timeout=1)

    with pytest.raises(kernel.LLMTimeoutError):
        await provider.complete(say())

    assert "llm:stream_aborted" in [name for name, _ in events]


async def test_a_server_that_keeps_the_connection_open_after_the_end(server, chat, say):
    server.on(CHAT, stream(chunk("Hello"), chunk(finish="stop"), ending="hang"))

    answer = await chat.complete(say())

    assert answer.text == "Hello"


@pytest.mark.parametrize("streaming", [True, False])
async def test_the_timeout_covers_the_whole_attempt(server, chat, say, streaming):
    server.on(CHAT, stream(chunk("Hel"), done=False, ending="hang"))

    with pytest.raises(kernel.LLMTimeoutError) as caught:
        await chat.complete(say(timeout=0.1, metadata={"stream": streaming}))

    assert "0.1s" in str(caught.value)
    assert f"{server.base_url}{CHAT}" in str(caught.value)


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("path", [CHAT, "/responses"])
async def test_a_kept_connection_that_is_dead_is_replaced_at_once(
    server, make_provider, say, events, path, ending
):
    good = stream(chunk("ok"), chunk(finish="stop")) if path == CHAT else response_stream("ok")
    server.on(path, good, Answer.nothing(ending), good)
    provider = make_provider(use_responses_api="auto" if path != CHAT else False)

    answers = [await provider.complete(say()) for _ in range(2)]

    assert [answer.text for answer in answers] == ["ok", "ok"]
    assert server.paths() == [path] * 3
    assert "provider:retry" not in [name for name, _ in events]


async def test_the_connection_is_used_again(server, chat, say):
    server.on(CHAT, stream(chunk("Hello"), chunk(finish="stop")))

    for _ in range(3):
        await chat.complete(say())

    assert server.connections == 1
