"""Getting to a server: address, key, connection, and when to come back (contract §1.4, §4)."""

from __future__ import annotations

import asyncio
import socket

import pytest
from amplifier_core import llm_errors as kernel
from openai import APITimeoutError, Timeout

from amplifier_module_provider_openai import OpenAIProvider, completion, credentials, mount
from amplifier_module_provider_openai import provider as provider_module
from scripted_server import Answer

CHAT = "/chat/completions"


@pytest.mark.parametrize(
    ("asked", "retryable", "requests"), [("3600", False, 1), ("0.01", True, 3), ("soon", True, 3)]
)
@pytest.mark.parametrize("status", [429, 503, 529])
async def test_a_wait_longer_than_ours_is_not_waited_for(
    server, make_provider, say, status, asked, retryable, requests
):
    busy = Answer.json({"error": {"message": "busy"}}, status, headers={"retry-after": asked})
    server.on(CHAT, busy)
    config = {"max_retries": 2, "min_retry_delay": 0.01, "max_retry_delay": 1}

    with pytest.raises(kernel.LLMError) as caught:
        await make_provider(use_responses_api=False, **config).complete(say())

    assert caught.value.retryable is retryable
    assert len(server.requests) == requests


async def test_a_connection_that_does_not_come_about_is_given_up_soon(
    make_provider, say, monkeypatch
):
    monkeypatch.setattr(credentials, "_CONNECT_TIMEOUT", 0.2)
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

        with pytest.raises(kernel.LLMTimeoutError) as caught:
            await make_provider(use_responses_api=False, base_url=url).complete(say(timeout=5))

    assert f"Could not connect to {url}{CHAT}" in str(caught.value)
    assert caught.value.retryable


async def test_only_the_connection_has_a_timeout_of_the_clients(make_provider):
    """A request may want to wait for its answer longer than any client was made for."""
    timeout = make_provider(timeout=900).client.timeout

    assert (timeout.connect, timeout.read, timeout.write) == (5.0, None, None)


@pytest.mark.parametrize("path", [CHAT, "/responses"])
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("config", [{"timeout": 0}, {"timeout": 0, "stream_idle_timeout": 0}])
async def test_a_server_that_never_answers_is_given_up_whatever_the_settings(
    server, make_provider, say, monkeypatch, path, streaming, config
):
    monkeypatch.setattr(completion, "DEFAULT_TIMEOUT", 0.3)
    server.on(path, Answer(wait=asyncio.Event()))
    provider = make_provider(
        use_responses_api=path != CHAT, **{"stream_idle_timeout": "0.3", **config}
    )

    async with asyncio.timeout(30):
        with pytest.raises(kernel.LLMTimeoutError) as caught:
            await provider.complete(say(metadata={"stream": streaming}))

    assert "0.3" in str(caught.value)
    assert caught.value.retryable


async def test_a_list_that_never_comes_is_given_up(server, make_provider, monkeypatch):
    monkeypatch.setattr(provider_module, "QUESTION_TIMEOUT", Timeout(0.3))
    server.on("/models", Answer(wait=asyncio.Event()))

    with pytest.raises(APITimeoutError):
        await make_provider().list_models()


async def test_a_missing_key_is_told_at_once(say):
    provider = OpenAIProvider(config={"max_retries": 2, "min_retry_delay": 60})

    with pytest.raises(kernel.AuthenticationError, match="api_key"):
        await provider.complete(say())


async def test_an_environment_url_without_a_scheme_is_told(coordinator, monkeypatch, say):
    monkeypatch.setenv("OPENAI_BASE_URL", "localhost:8080/v1")

    with pytest.raises(kernel.ConfigurationError, match=r"OPENAI_BASE_URL.*localhost:8080/v1"):
        await mount(coordinator, {"api_key": "k"})
    provider = OpenAIProvider("sk-env")
    with pytest.raises(kernel.ConfigurationError, match="http://localhost"):
        await provider.complete(say())

    assert provider.get_info().id == "openai"


@pytest.mark.parametrize(
    "host", ["me.openai.azure.com", "me.cognitiveservices.azure.com", "me.services.ai.azure.com"]
)
async def test_azure_gets_the_environments_key_as_it_always_did(coordinator, monkeypatch, host):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")

    await mount(coordinator, {"base_url": f"https://{host}/openai/v1"})

    assert coordinator.mount_points["providers"]["openai"]._api_key == "sk-env"
