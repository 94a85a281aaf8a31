"""Models and their limits (contract §1.5 to §1.9)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from amplifier_core import llm_errors as kernel
from openai import APIStatusError
from openai.types import Model

from amplifier_module_provider_openai import (
    OpenAIProvider,
    get_capabilities,
)
from amplifier_module_provider_openai._cost import compute_cost
from amplifier_module_provider_openai.models import display_name, openai_models
from scripted_server import Answer


def card(model_id, **more):
    return {"id": model_id, "object": "model", "created": 1, "owned_by": "me", **more}


def models(*ids):
    return [Model.model_validate(card(model_id)) for model_id in ids]


@pytest.fixture
def listed(server, make_provider):
    """The model list that cards of the server become."""

    async def ask(*cards, **config):
        server.on("/models", Answer.json({"object": "list", "data": list(cards)}))
        return await make_provider(**config).list_models()

    return ask


async def test_all_models_of_a_local_server(listed):
    infos = await listed(card("qwen3"), card("gpt-4o-alias"), card("Llama"))

    assert [info.id for info in infos] == ["gpt-4o-alias", "Llama", "qwen3"]
    assert all("local" in info.capabilities for info in infos)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_model_len": 8192},
        {"loaded_context_length": 8192, "max_context_length": 99999},
        {"meta": {"n_ctx": 8192, "n_ctx_train": 99999}},
    ],
)
async def test_the_context_that_a_server_tells(listed, limits):
    (info,) = await listed(card("x", **limits), context_window=4096)

    assert info.context_window == 8192
    assert info.max_output_tokens == 4096


async def test_the_context_that_llama_cpp_tells_elsewhere(listed, server):
    server._scripts["/props"].append(Answer.json({"default_generation_settings": {"n_ctx": 2048}}))

    (info,) = await listed(card("x", meta={"n_ctx_train": 99999}))

    assert info.context_window == 2048


async def test_the_context_that_config_tells(listed):
    (info,) = await listed(card("x"), context_window="4096", max_output_tokens="1000")

    assert (info.context_window, info.max_output_tokens) == (4096, 1000)


async def test_what_was_listed_is_what_the_session_plans_with(server, make_provider):
    cards = [card("tiny", max_model_len=8192)]
    server.on("/models", Answer.json({"object": "list", "data": cards}))
    provider = make_provider()

    await provider.list_models()

    assert provider.get_info().defaults["context_window"] == 8192
    assert provider.get_model_info().context_window == 8192
    assert provider.get_model_info().max_output_tokens == 4096


async def test_what_one_instance_was_told_others_of_the_process_know(server, make_provider):
    server.on("/models", Answer.json({"data": [card("tiny", max_model_len=8192)]}))

    await make_provider().list_models()

    assert make_provider().get_info().defaults["context_window"] == 8192


@pytest.mark.parametrize(("configured", "planned"), [(4096, 4096), (99999, 8192)])
async def test_the_smaller_context_of_config_and_server_is_planned_with(
    server, make_provider, configured, planned
):
    server.on("/models", Answer.json({"data": [card("tiny", max_model_len=8192)]}))
    provider = make_provider(context_window=configured)

    await provider.list_models()

    assert provider.get_info().defaults["context_window"] == planned


@pytest.mark.parametrize(
    "refusal",
    [
        {"message": "too long", "type": "exceed_context_size_error", "n_ctx": 512},
        {"message": "This model's maximum context length is 512 tokens. However, you asked"},
        {"message": "the request exceeds the available context size (512 tokens)"},
    ],
)
async def test_a_refusal_teaches_what_to_plan_with(server, chat, say, refusal):
    server.on("/chat/completions", Answer.json({"error": refusal}, 400))

    with pytest.raises(kernel.ContextLengthError):
        await chat.complete(say())

    assert chat.get_model_info().context_window == 512


async def test_a_list_of_nothing_is_empty(server, make_provider):
    server.on("/models", Answer.json({"object": "list", "data": None}))

    assert await make_provider().list_models() == []


def test_a_subclass_with_a_client_of_its_own_has_openais_limits():
    class AtGateway(OpenAIProvider):
        @property
        def client(self):
            raise AssertionError("asked for a client")

    provider = AtGateway("k", config={"base_url": "https://gateway.example/v1"})

    assert provider.get_info().defaults["max_output_tokens"] == 128_000


def test_a_configured_context_is_planned_with_before_anything_is_listed():
    config = {"base_url": "http://localhost/v1", "default_model": "x", "context_window": 8192}

    info = OpenAIProvider("k", config=config).get_model_info()

    assert (info.context_window, info.max_output_tokens) == (8192, 4096)


@pytest.mark.parametrize(
    ("config", "limits"),
    [
        ({}, (1_000_000, 128_000)),
        ({"max_output_tokens": 8000}, (1_000_000, 8000)),
        ({"context_window": 32_000}, (32_000, 16_000)),
        ({"context_window": 32_000, "max_output_tokens": 8000}, (32_000, 8000)),
    ],
)
def test_openais_limits_can_be_configured(config, limits):
    info = OpenAIProvider("k", config={"default_model": "gpt-5.5", **config}).get_model_info()

    assert (info.context_window, info.max_output_tokens) == limits


async def test_the_context_of_the_only_model_holds_for_any_name(server, make_provider):
    cards = [card("a.gguf", meta={"n_ctx": 512})]
    server.on("/models", Answer.json({"object": "list", "data": cards}))
    provider = make_provider(default_model="qwen3")

    await provider.list_models()

    assert provider.get_info().defaults["context_window"] == 512
    assert provider.get_info().defaults["max_output_tokens"] == 256


async def test_the_context_of_one_model_of_several_is_its_own(server, make_provider):
    cards = [card("small", max_model_len=512), card("large")]
    server.on("/models", Answer.json({"object": "list", "data": cards}))
    provider = make_provider(default_model="large")

    await provider.list_models()

    assert provider.get_info().defaults["context_window"] == 200_000
    assert make_provider(default_model="small").get_info().defaults["context_window"] == 512


async def test_a_server_that_has_got_a_second_model_is_not_one_of_one(server, make_provider):
    cards = [card("small", max_model_len=512)]
    server.on("/models", Answer.json({"data": cards}), Answer.json({"data": [*cards, card("b")]}))
    provider = make_provider(default_model="b")

    contexts = []
    for _ in range(2):
        await provider.list_models()
        contexts.append(provider.get_info().defaults["context_window"])

    assert contexts == [512, 200_000]


async def test_a_refusal_teaches_of_its_own_model_alone(server, make_provider, say):
    refusal = {"message": "too long", "type": "exceed_context_size_error", "n_ctx": 512}
    server.on("/chat/completions", Answer.json({"error": refusal}, 400))
    provider = make_provider(use_responses_api=False, default_model="large")

    with pytest.raises(kernel.ContextLengthError):
        await provider.complete(say(model="small"))

    assert provider.get_info().defaults["context_window"] == 200_000
    assert make_provider(default_model="small").get_info().defaults["context_window"] == 512


async def test_a_list_that_fails_is_an_error(server, make_provider):
    server.on("/models", Answer.json({"error": {"message": "no"}}, 500))

    with pytest.raises(APIStatusError):
        await make_provider().list_models()


def test_openais_list_is_for_agents():
    cards = models(
        "gpt-5.5", "gpt-5.5-2026-04-23", "gpt-4o", "whisper-1", "gpt-6", "o3", "o3-deep-research",
        "o3-deep-research-2025-06-26", "o9-deep-research",
    )  # fmt: skip
    provider = OpenAIProvider("k")

    infos = openai_models(cards, provider.settings, get_capabilities)

    assert [info.id for info in infos] == [
        "gpt-5.5", "gpt-6", "o3-deep-research", "o3-deep-research-2025-06-26",
    ]  # fmt: skip
    assert infos[0].defaults == {"max_tokens": 16384, "reasoning_effort": "none"}
    assert infos[2].defaults == {"max_tokens": 32768, "background": True}


def test_dated_models_on_request():
    provider = OpenAIProvider("k", config={"filtered": "false"})

    infos = openai_models(models("gpt-5.5-2026-04-23"), provider.settings, get_capabilities)

    assert [info.id for info in infos] == ["gpt-5.5-2026-04-23"]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-5.5", "GPT 5.5"),
        ("gpt-5.5-pro", "GPT 5.5 Pro"),
        ("gpt-5.3-codex", "GPT-5.3 codex"),
        ("gpt-5-mini", "GPT-5 mini"),
        ("o3-deep-research-2025-06-26", "o3 Deep Research (2025-06-26)"),
        ("o4-mini-deep-research", "o4-mini Deep Research"),
        ("gpt-7", "GPT-7"),
        ("qwen3", "qwen3"),
    ],
)
def test_names_for_people(model, name):
    assert display_name(model) == name


@pytest.mark.parametrize(
    ("model", "context", "output", "reasons", "effort"),
    [
        ("o3-deep-research", 200_000, 128_000, True, None),
        ("o3", 200_000, 100_000, True, "medium"),
        ("gpt-5-mini", 128_000, 64_000, False, None),
        ("gpt-5.5-pro", 1_000_000, 128_000, True, None),
        ("gpt-5.4", 1_050_000, 128_000, True, None),
        ("gpt-5.9", 1_050_000, 128_000, True, None),
        ("gpt-5.x", 1_050_000, 128_000, True, None),
        ("gpt-5.3-codex", 400_000, 128_000, True, None),
        ("gpt-5.1", 200_000, 128_000, True, "medium"),
        ("gpt-5", 200_000, 128_000, True, "medium"),
        ("qwen3", 200_000, 128_000, False, None),
    ],
)
def test_capabilities(model, context, output, reasons, effort):
    known = get_capabilities(model)

    assert (known.context_window, known.max_output_tokens) == (context, output)
    assert (known.supports_reasoning, known.default_reasoning_effort) == (reasons, effort)


@pytest.mark.parametrize(
    ("model", "tokens", "usd"),
    [
        ("gpt-5.5", (1_000_000, 0, 0), "5"),
        ("gpt-5.5", (1_000_000, 0, 1_000_000), "0.5"),
        ("gpt-5.5-2026-04-23", (0, 1_000_000, 0), "30"),
        ("gpt-5.4", (10, 10, 20), "0.000155"),
    ],
)
def test_prices(model, tokens, usd):
    prompt, completion, cached = tokens

    cost = compute_cost(
        model, prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached
    )

    assert cost == Decimal(usd)


@pytest.mark.parametrize("model", ["qwen3", "gpt-5.2", "gpt-6-2026-08-01"])
def test_an_unknown_price_is_not_nothing(model):
    assert compute_cost(model, prompt_tokens=1_000_000) is None
