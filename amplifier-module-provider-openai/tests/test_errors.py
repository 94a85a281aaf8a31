"""Refusals of a server as the kernel's errors (contract §4.2 and §4.5)."""

from __future__ import annotations

import importlib
import json

import openai
import pytest
from amplifier_core import llm_errors as kernel
from openai._models import FinalRequestOptions

from amplifier_module_provider_openai import OpenAIProvider
from scripted_server import Answer, chunk, stream

CHAT = "/chat/completions"


@pytest.fixture
def refusal(server, chat, say):
    """The error that a refusal of the server becomes."""

    async def ask(status, body, *, headers=None, provider=None):
        server.on(CHAT, Answer.json(body, status, headers=headers or {}))
        with pytest.raises(kernel.LLMError) as caught:
            await (provider or chat).complete(say())
        return caught.value

    return ask


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, kernel.InvalidRequestError, False),
        (401, kernel.AuthenticationError, False),
        (402, kernel.LLMError, False),
        (403, kernel.AccessDeniedError, False),
        (404, kernel.NotFoundError, False),
        (405, kernel.LLMError, False),
        (409, kernel.LLMError, False),
        (413, kernel.ContextLengthError, False),
        (422, kernel.LLMError, False),
        (429, kernel.RateLimitError, True),
        (500, kernel.ProviderUnavailableError, True),
        (501, kernel.LLMError, False),
        (503, kernel.ProviderUnavailableError, True),
    ],
)
async def test_each_status_has_its_kind(refusal, server, status, kind, retryable):
    error = await refusal(status, {"error": {"message": "because"}})

    assert type(error) is kind
    assert error.status_code == status
    assert error.retryable is retryable
    assert "because" in str(error)
    assert f"{server.base_url}/chat/completions answered {status}" in str(error)


OVERFLOWS = [
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 900,
                "n_ctx": 512,
            }
        },
    ),
    (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 512 tokens. However, you requested",
            "type": "BadRequestError",
        },
    ),
    (400, {"error": {"message": "x", "code": "context_length_exceeded"}}),
    (400, {"error": {"message": "Your input exceeds the context window of this model."}}),
    (400, {"error": "prompt is too long: 900 tokens > 512"}),
    (404, {"error": "Prompt exceeds the context length of 512"}),
    (413, {"error": {"message": "Payload Too Large"}}),
    (500, {"error": {"message": "input is larger than the context size"}}),
]


@pytest.mark.parametrize(("status", "body"), OVERFLOWS)
async def test_context_overflow_in_every_servers_words(refusal, server, status, body):
    error = await refusal(status, body)

    assert type(error) is kernel.ContextLengthError
    assert not error.retryable
    assert server.paths() == [CHAT]


async def test_an_overflow_tells_the_figures(refusal):
    error = await refusal(*OVERFLOWS[0])

    assert "900" in str(error)
    assert "512" in str(error)


@pytest.mark.parametrize("words", ["content filter triggered", "flagged by safety", "was blocked"])
async def test_a_filter(refusal, words):
    error = await refusal(400, {"error": {"message": words}})

    assert type(error) is kernel.ContentFilterError


async def test_an_empty_account_is_not_a_busy_one(refusal):
    error = await refusal(429, {"error": {"message": "x", "code": "insufficient_quota"}})

    assert type(error) is kernel.QuotaExceededError
    assert not error.retryable


@pytest.mark.parametrize(
    ("headers", "seconds", "retryable"),
    [
        ({"retry-after": "30"}, 30.0, True),
        ({"x-ms-retry-after-ms": "3000"}, 3.0, True),
        ({"retry-after": "10", "x-ms-retry-after-ms": "3000"}, 10.0, True),
        ({"retry-after": "soon"}, None, True),
        ({"retry-after": "120"}, 120.0, False),
    ],
)
async def test_how_long_to_wait(refusal, headers, seconds, retryable):
    error = await refusal(429, {"error": {"message": "slow"}}, headers=headers)

    assert error.retry_after == seconds
    assert error.retryable is retryable


async def test_a_loading_model_is_worth_waiting_for(refusal):
    error = await refusal(503, {"error": {"message": "Loading model", "type": "unavailable_error"}})

    assert type(error) is kernel.ProviderUnavailableError
    assert error.retryable


async def test_a_gateway_that_warms_up_is_worth_waiting_for(refusal):
    error = await refusal(404, "The model is loading")

    assert type(error) is kernel.ProviderUnavailableError


async def test_a_cloudflare_page_is_worth_a_retry(server, chat, say):
    page = Answer(b"<title>Just a moment...</title>", 403, "text/html")
    server.on(CHAT, page)

    with pytest.raises(kernel.ProviderUnavailableError) as caught:
        await chat.complete(say())

    assert caught.value.retryable


async def test_a_model_that_is_not_served(refusal, server):
    card = {"id": "tiny-b", "object": "model", "created": 1, "owned_by": "me"}
    server.on("/models", Answer.json({"object": "list", "data": [card]}))

    error = await refusal(404, {"error": {"message": "The model `tiny` does not exist."}})

    assert type(error) is kernel.NotFoundError
    assert "served: tiny-b" in str(error)
    assert "id:" in str(error)


async def test_a_model_list_that_fails_does_not_hide_the_error(refusal):
    error = await refusal(404, {"error": {"message": "model 'tiny' not found"}})

    assert type(error) is kernel.NotFoundError
    assert "unknown" in str(error)


async def test_a_base_url_without_v1_is_pointed_out(server, make_provider, say):
    provider = make_provider(use_responses_api=False, base_url=server.base_url.removesuffix("/v1"))

    with pytest.raises(kernel.NotFoundError) as caught:
        await provider.complete(say())

    assert f"{server.base_url}" in str(caught.value)
    assert "/v1" in str(caught.value)


async def test_the_key_is_not_in_an_error_even_if_the_server_sends_it_back(refusal, events):
    error = await refusal(401, {"error": {"message": "bad key test-key"}})

    assert "test-key" not in str(error)
    assert "[api_key]" in str(error)
    assert "test-key" not in str(events)


async def test_credentials_in_the_url_are_not_in_an_error(server, make_provider, say):
    url = server.base_url.replace("http://", "http://joe:secret@")

    with pytest.raises(kernel.NotFoundError) as caught:
        await make_provider(use_responses_api=False, base_url=url).complete(say())

    assert "secret" not in str(caught.value)


async def test_a_failed_request_is_told_once(refusal, events):
    error = await refusal(400, {"error": {"message": "because"}})

    (payload,) = [data for name, data in events if name == "llm:response"]
    assert payload["status"] == "error"
    assert payload["error"] == str(error)
    assert payload["model"] == "tiny"
    assert payload["duration_ms"] >= 0


BUSY = Answer.json({"error": {"message": "busy"}}, 503)
OK = stream(chunk("ok"), chunk(finish="stop"))


async def test_a_retry_is_told_and_then_succeeds(server, make_provider, say, events):
    server.on(CHAT, BUSY, BUSY, OK)
    config = {"max_retries": "3", "min_retry_delay": "0.01", "retry_jitter": "false"}

    answer = await make_provider(use_responses_api=False, **config).complete(say())

    retries = [data for name, data in events if name == "provider:retry"]
    assert answer.text == "ok"
    assert [(r["attempt"], r["max_retries"], r["delay"]) for r in retries] == [
        (1, 3, 0.01),
        (2, 3, 0.02),
    ]
    assert retries[0]["error_type"] == "ProviderUnavailableError"
    assert [name for name, _ in events].count("llm:request") == 1
    assert [name for name, _ in events].count("provider:concurrency") == 3


async def test_retries_end(server, make_provider, say):
    server.on(CHAT, BUSY)
    provider = make_provider(use_responses_api=False, max_retries=2, min_retry_delay=0.01)

    with pytest.raises(kernel.ProviderUnavailableError):
        await provider.complete(say())

    assert server.paths() == [CHAT] * 3


async def test_the_sdk_does_not_retry_on_its_own(refusal, server):
    await refusal(503, {"error": {"message": "busy"}})

    assert server.paths() == [CHAT]


async def test_a_retry_after_something_was_shown_has_a_stream_id_of_its_own(
    server, make_provider, say, events
):
    server.on(CHAT, stream(chunk("Hel"), done=False), OK)

    answer = await make_provider(
        use_responses_api=False, max_retries=1, min_retry_delay=0.01
    ).complete(say())

    deltas = [data for name, data in events if name == "llm:stream_block_delta"]
    assert answer.text == "ok"
    assert [delta["text"] for delta in deltas] == ["Hel", "ok"]
    assert deltas[0]["request_id"] != deltas[1]["request_id"]


async def test_a_short_key_is_no_secret(server, make_provider, say):
    provider = make_provider(use_responses_api=False)
    provider._api_key = "local"

    assert provider.without_secrets("http://localhost") == "http://localhost"


async def test_an_error_object_in_a_stream_of_responses(server, make_provider, say):
    error = {"error": {"message": "boom", "type": "server_error"}}
    server.on("/responses", stream(error))

    with pytest.raises(kernel.StreamError) as caught:
        await make_provider().complete(say())

    assert "boom" in str(caught.value)


@pytest.mark.parametrize(
    ("raised", "said"),
    [(OSError("odd"), "odd"), (OSError(), "OSError: (no message)")],
)
async def test_what_nobody_foresaw_is_worth_a_retry(make_provider, say, monkeypatch, raised, said):
    provider = make_provider()

    def fail(**_parameters):
        raise raised

    monkeypatch.setattr(provider.client.responses, "create", fail)
    with pytest.raises(kernel.LLMError) as caught:
        await provider.complete(say(metadata={"stream": False}))

    assert caught.value.retryable
    assert caught.value.__cause__ is raised
    assert said in str(caught.value)


async def test_on_openais_own_host_the_message_is_the_error_object(say, monkeypatch):
    provider = OpenAIProvider("key", config={"max_retries": 0})
    body = {"error": {"message": "because", "code": "x"}}
    request = provider.client._build_request(
        FinalRequestOptions(method="post", url="/responses", json_data={})
    )
    error = openai.BadRequestError("no", response=httpx_response(request), body=body)

    def fail(**_parameters):
        raise error

    monkeypatch.setattr(provider.client.responses, "create", fail)
    with pytest.raises(kernel.InvalidRequestError) as caught:
        await provider.complete(say(metadata={"stream": False}))
    await provider.close()

    assert str(caught.value) == json.dumps(body)


def httpx_response(request):
    """A response of whichever HTTP library the SDK has."""
    library = importlib.import_module(type(request).__module__.partition(".")[0])
    return library.Response(400, request=request)
