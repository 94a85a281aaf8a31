"""Two instances in one session, and addresses as people write them (contract §1, checks 20, 22)."""

from __future__ import annotations

import asyncio

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core._session_init import initialize_session
from amplifier_core.loader import ModuleLoader
from amplifier_core.message_models import Message
from amplifier_core.testing import MockCoordinator

from amplifier_module_provider_openai import OpenAIProvider, mount
from amplifier_module_provider_openai.gate import _load
from scripted_server import Answer, ScriptedServer, chunk, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))


class Loader(ModuleLoader):
    """Finds this module for every provider, and nothing to mount for the rest."""

    async def load(self, module_id, config=None, source_hint=None, coordinator=None):
        """What core then mounts the module with."""

        async def mount_one(coordinator):
            return await mount(coordinator, config) if module_id == "provider-openai" else None

        return mount_one


@pytest.fixture
async def other():
    """A second server."""
    async with ScriptedServer() as running:
        yield running


@pytest.fixture
async def session(coordinator):
    """The providers that a session of core has mounted, by their names."""
    providers = {}

    async def begin(**configs):
        coordinator.loader = Loader(coordinator=coordinator)
        entries = [
            {"module": "provider-openai", **named, "config": {"max_retries": 0, **config}}
            for name, config in configs.items()
            for named in [{} if name == "openai" else {"instance_id": name}]
        ]
        whole = {"session": {"orchestrator": "loop", "context": "memory"}, "providers": entries}
        await initialize_session(whole, coordinator, "session", None)
        providers.update(coordinator.mount_points["providers"])
        return providers

    yield begin
    for provider in providers.values():
        await provider.close()


def at(server, **config):
    return {"base_url": server.base_url, "default_model": "tiny", **config}


async def test_what_one_server_speaks_says_nothing_of_another(
    server, other, session, say, events, url_at
):
    """The latch is one per address."""
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)
    other.on(RESPONSES, response_stream("Hi")).on(CHAT, HELLO)
    named = url_at("localhost")
    providers = await session(openai=at(other), local=at(server), alias=at(server, base_url=named))

    for _ in range(2):
        answers = {name: (await each.complete(say())).text for name, each in providers.items()}
        assert answers == {"openai": "Hi", "local": "Hello", "alias": "Hello"}

    assert other.paths() == [RESPONSES] * 2
    assert server.paths().count(RESPONSES) == 2
    told = [data["base_url"] for name, data in events if name == "provider:protocol_fallback"]
    assert told == [server.base_url, named]


async def test_the_cloud_stays_on_responses_beside_a_local_server(server, session, say, url_at):
    server.on(RESPONSES, Answer(b"", 404), response_stream("Cloud")).on(CHAT, HELLO)
    cloud = {"api_key": "cloud-key", "base_url": url_at("api.openai.com")}
    providers = await session(openai=cloud, local=at(server))

    local = await providers["local"].complete(say())
    far = await providers["openai"].complete(say())

    assert (local.text, far.text) == ("Hello", "Cloud")
    keys = [request.headers["authorization"] for request in server.requests]
    assert keys[-1] == "Bearer cloud-key"
    assert not [key for key in keys[:-1] if "cloud-key" in key]
    assert set(providers) == {"openai", "local"}
    assert {provider.name for provider in providers.values()} == {"openai"}
    assert providers["local"].client is not providers["openai"].client


async def test_all_instances_share_one_gate(server, other, session, say):
    held = Answer(wait=asyncio.Event())
    server.on(CHAT, held)
    other.on(CHAT, HELLO)
    one = {"use_responses_api": "false", "max_concurrent_requests": "1"}
    providers = await session(openai=at(server, **one), local=at(other, **one))

    first = asyncio.create_task(providers["openai"].complete(say()))
    while not server.requests:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(providers["local"].complete(say()))
    while not _load.waiting:
        await asyncio.sleep(0.01)

    assert not other.requests
    first.cancel()
    assert (await second).text == "Hello"
    assert other.paths() == [CHAT]
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.mark.parametrize("broken", [{}, {"api_key": "k", "timeout": "soon"}])
async def test_one_that_cannot_be_mounted_hides_no_other(server, session, say, monkeypatch, broken):
    server.on(CHAT, HELLO)

    providers = await session(openai=broken, local=at(server, use_responses_api="false"))

    assert set(providers) == {"local"}
    assert (await providers["local"].complete(say())).text == "Hello"


async def test_one_whose_server_fails_does_not_stop_another(server, other, session, say):
    server.on(CHAT, Answer.json({"error": {"message": "oops"}}, 500))
    other.on(CHAT, HELLO)
    chat = {"use_responses_api": "false"}
    providers = await session(openai=at(server, **chat), local=at(other, **chat))

    with pytest.raises(kernel.ProviderUnavailableError):
        await providers["openai"].complete(say())

    assert (await providers["local"].complete(say())).text == "Hello"


@pytest.mark.parametrize("ending", ["", "/"])
@pytest.mark.parametrize("setting", [{"use_responses_api": "false"}, {}])
async def test_a_slash_at_the_end_makes_no_difference(server, make_provider, say, ending, setting):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)
    url = f"{server.base_url}{ending}"

    for _ in range(2):
        answer = await make_provider(base_url=url, **setting).complete(say())
        assert answer.text == "Hello"

    assert server.paths().count(CHAT) == 2
    assert {request.path for request in server.requests} <= {f"/v1{CHAT}", f"/v1{RESPONSES}"}
    assert server.paths().count(RESPONSES) == (0 if setting else 1)


async def test_an_address_without_v1_is_asked_as_it_is(server, make_provider, say):
    server._scripts[CHAT].append(HELLO)

    provider = make_provider(
        base_url=server.base_url.removesuffix("/v1"), use_responses_api="false"
    )

    assert (await provider.complete(say())).text == "Hello"
    assert server.requests[0].path == CHAT


@pytest.mark.parametrize("config", [{}, {"base_url": ""}, {"base_url": None}])
@pytest.mark.parametrize("ending", ["", "/"])
async def test_an_address_from_the_environment_only(
    server, coordinator, say, monkeypatch, config, ending
):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.base_url}{ending}")
    cleanup = await mount(coordinator, {**config, "default_model": "tiny", "max_retries": "0"})
    assert cleanup is not None

    answer = await coordinator.mount_points["providers"]["openai"].complete(say())
    await cleanup()

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, CHAT]


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://api.openai.com/v1/", ""])
async def test_openais_own_address_is_not_custom(url):
    coordinator = MockCoordinator()

    assert await mount(coordinator, {"base_url": url}) is None
    provider = OpenAIProvider("k", config={"base_url": url})
    assert not provider.endpoint().is_custom
    assert str(provider.client.base_url) == "https://api.openai.com/v1/"
    await provider.close()


async def test_every_value_may_come_as_text(server, make_provider, say, events):
    """As the wizard writes them into settings.yaml."""
    server.on(CHAT, HELLO)
    texts = {
        "use_responses_api": "false",
        "timeout": "600",
        "max_concurrent_requests": "4",
        "max_retries": "0",
        "temperature": "0",
        "max_tokens": "50",
        "raw": "false",
        "use_streaming": "true",
        "reasoning_effort": "none",
        "prompt_cache_key": "",
        "prompt_cache_retention": "",
        "enable_response_chaining": "auto",
        "enable_long_context": "false",
        "priority": "5",
    }
    provider = make_provider(**texts)

    await provider.complete(say(messages=[Message(role="user", content="Hi")]))

    (body,) = server.bodies(CHAT)
    assert (body["temperature"], body["max_tokens"]) == (0, 50)
    assert body["stream"] is True
    assert set(body) == {
        "model", "messages", "stream", "stream_options", "temperature", "max_tokens"
    }  # fmt: skip
    assert (provider.timeout, provider.priority) == (600.0, 5)
    (load,) = [data for name, data in events if name == "provider:concurrency"]
    assert load["max_concurrent"] == 4
