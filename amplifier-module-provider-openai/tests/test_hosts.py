"""OpenAI's and Azure's own hosts, on the wire under their names (contract §7.4, §2.2)."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import ToolSpec
from openai import AsyncOpenAI

from amplifier_module_provider_openai import OpenAIProvider
from scripted_server import Answer, chunk, completion, response_stream, stream, usage

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
OPENAI = "api.openai.com"
HOSTS = [
    OPENAI,
    "eu.api.openai.com",
    "me.openai.azure.com",
    "me.cognitiveservices.azure.com",
    "me.services.ai.azure.com",
]
LOOK = ToolSpec(name="look", parameters={"type": "object", "properties": {}})
SIGNALS = [
    pytest.param(Answer(b"Not Found", 404, "text/plain"), kernel.NotFoundError, id="404"),
    pytest.param(Answer(b"", 405), kernel.LLMError, id="405"),
    pytest.param(Answer.nothing("reset"), kernel.NetworkError, id="reset"),
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(("signal", "kind"), SIGNALS)
async def test_no_signal_makes_them_fall_back(
    server, make_provider, say, events, url_at, host, signal, kind
):
    server.on(RESPONSES, signal).on(CHAT, HELLO)

    with pytest.raises(kernel.LLMError) as caught:
        await make_provider(base_url=url_at(host)).complete(say())

    assert type(caught.value) is kind
    assert CHAT not in server.paths()
    assert "provider:protocol_fallback" not in [name for name, _ in events]
    assert server.requests[0].headers["host"].startswith(host)


async def test_a_client_of_ones_own_decides_whose_host_it_is(server, say, url_at):
    client = AsyncOpenAI(base_url=url_at("me.openai.azure.com"), api_key="k", max_retries=0)
    provider = OpenAIProvider("k", config={"max_retries": 0}, client=client)
    server.on(RESPONSES, Answer(b"Not Found", 404)).on(CHAT, HELLO)

    with pytest.raises(kernel.NotFoundError):
        await provider.complete(say())
    await provider.close()

    assert server.paths() == [RESPONSES]


@pytest.mark.parametrize(
    ("fields", "options", "config", "limit"),
    [
        ({"max_output_tokens": 30}, {"max_tokens": 20}, {"max_tokens": 10}, 30),
        ({}, {"max_tokens": 20}, {"max_tokens": 10}, 20),
        ({}, {}, {"max_tokens": "10"}, 10),
    ],
)
@pytest.mark.parametrize("host", HOSTS)
async def test_their_chat_completions_limit_has_its_new_name(
    server, make_provider, say, url_at, host, fields, options, config, limit
):
    server.on(CHAT, HELLO)
    provider = make_provider(base_url=url_at(host), use_responses_api="false", **config)

    await provider.complete(say(**fields), **options)

    (body,) = server.bodies(CHAT)
    assert body["max_completion_tokens"] == limit
    assert "max_tokens" not in body


async def test_other_hosts_limit_has_its_old_name(server, make_provider, say):
    server.on(CHAT, HELLO)

    await make_provider(use_responses_api="false").complete(say(max_output_tokens=30))

    (body,) = server.bodies(CHAT)
    assert body["max_tokens"] == 30
    assert "max_completion_tokens" not in body


@pytest.mark.parametrize("config", [{}, {"enable_response_chaining": "false"}])
async def test_options_that_only_responses_has(server, make_provider, say, url_at, config):
    server.on(RESPONSES, response_stream("Hi"))
    provider = make_provider(base_url=url_at(OPENAI), default_model="gpt-5.5", **config)
    options = {
        "store": True,
        "include": ["file_search_call.results"],
        "max_tool_calls": 3,
        "truncation": "disabled",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "safety_identifier": "me",
        "parallel_tool_calls": False,
        "tool_choice": "required",
    }

    await provider.complete(say(tools=[LOOK]), **options)

    (body,) = server.bodies(RESPONSES)
    assert {key: body.get(key) for key in options} == options


@pytest.mark.parametrize("store", [True, False])
async def test_what_is_not_stored_brings_its_thoughts_along(
    server, make_provider, say, url_at, store
):
    server.on(RESPONSES, response_stream("Hi"))
    provider = make_provider(
        base_url=url_at(OPENAI), default_model="gpt-5.5", enable_response_chaining="false"
    )

    await provider.complete(say(), store=store)

    (body,) = server.bodies(RESPONSES)
    assert body["store"] is store
    assert body.get("include") == (None if store else ["reasoning.encrypted_content"])


async def test_without_tools_their_number_is_not_limited(server, make_provider, say, url_at):
    server.on(RESPONSES, response_stream("Hi"))

    await make_provider(base_url=url_at(OPENAI)).complete(say(), max_tool_calls=3)

    assert "max_tool_calls" not in server.bodies(RESPONSES)[0]


@pytest.mark.parametrize(
    ("model", "long", "context"),
    [
        ("gpt-5.4", False, 272_000),
        ("gpt-5.4", "true", 1_050_000),
        ("gpt-5.5", "false", 1_000_000),
        ("gpt-5.5", True, 1_000_000),
    ],
)
async def test_a_long_context_is_advertised_only_if_it_may_cost_more(
    server, make_provider, url_at, model, long, context
):
    cards = [{"id": model, "object": "model", "created": 1, "owned_by": "openai"}]
    server.on("/models", Answer.json({"object": "list", "data": cards}))
    provider = make_provider(base_url=url_at(OPENAI), default_model=model, enable_long_context=long)

    listed = await provider.list_models()

    assert provider.get_info().defaults["context_window"] == context
    assert provider.get_model_info().context_window == context
    assert [info.context_window for info in listed] == [context]


async def test_their_chat_completions_are_priced(server, make_provider, say, events, url_at):
    server.on(CHAT, Answer.json({**completion("Hi"), "model": "gpt-5.5"}))
    provider = make_provider(base_url=url_at(OPENAI), use_responses_api=False)

    answer = await provider.complete(say(metadata={"stream": False}))

    (told,) = [data for name, data in events if name == "llm:response"]
    assert answer.usage is not None
    assert told["usage"]["cost_usd"] == str(answer.usage.cost_usd) == "0.000265"


async def test_a_first_chunk_of_azures_that_names_nothing_keeps_nothing_from_being_priced(
    server, make_provider, say, events, url_at
):
    nameless = {**chunk(), "choices": [], "model": "", "id": "", "prompt_filter_results": []}
    last = {**chunk(finish="stop"), "usage": usage()}
    server.on(
        CHAT,
        stream(nameless, *({**part, "model": "gpt-5.5"} for part in (chunk("Hi"), last))),
    )
    provider = make_provider(
        base_url=url_at("me.openai.azure.com"), use_responses_api=False, raw=True
    )

    await provider.complete(say())

    (told,) = [data for name, data in events if name == "llm:response"]
    assert told["usage"]["cost_usd"] == "0.000265"
    assert (told["raw"]["id"], told["raw"]["model"]) == ("chatcmpl-1", "gpt-5.5")
