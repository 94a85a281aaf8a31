"""What holds for OpenAI alone, and what of other servers' answers is kept (contract §1.6, §7.5)."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_core.message_models import Message

from amplifier_module_provider_openai import OpenAIProvider, get_capabilities
from amplifier_module_provider_openai._response_handling import convert_response
from scripted_server import Answer, response, response_stream, strict

LOCAL = {"base_url": "http://localhost:1/v1"}


def test_a_name_of_openais_promises_nothing_elsewhere():
    info = OpenAIProvider("k", config=LOCAL).get_model_info()

    assert info.id == "gpt-5.5"
    assert info.context_window == 200_000
    assert not {"reasoning", "vision"} & set(info.capabilities)


async def test_an_alias_in_a_list_promises_nothing_either(server, make_provider):
    cards = [{"id": "gpt-5.5", "object": "model", "created": 1, "owned_by": "me"}]
    server.on("/models", Answer.json({"object": "list", "data": cards}))

    (info,) = await make_provider().list_models()

    assert info.context_window == 200_000
    assert info.capabilities == ["tools", "streaming", "json_mode", "local"]


@pytest.mark.parametrize("url", [None, "https://me.openai.azure.com/openai/v1"])
def test_on_openais_and_azures_hosts_the_name_tells(url):
    info = OpenAIProvider("k", config={"base_url": url}).get_model_info()

    assert info.context_window == get_capabilities("gpt-5.5").context_window


THOUGHT = {"type": "reasoning", "id": "rs_local", "summary": [], "encrypted_content": "xyz",
           "content": [{"type": "reasoning_text", "text": "Hm."}]}  # fmt: skip


async def test_ids_of_another_server_are_not_kept(server, make_provider, say):
    server.on("/responses", Answer.json(response(THOUGHT, id="resp_local")))
    provider = make_provider(use_responses_api=True)

    answer = await provider.complete(say(metadata={"stream": False}))

    assert answer.content[0].thinking == "Hm."
    assert "_local" not in answer.model_dump_json()
    assert "xyz" not in answer.model_dump_json()


def test_the_text_is_stripped_and_the_sdks_is_not():
    answer: Any = convert_response(response(text=" Hello \n", output_text=" Hello \n"))

    assert answer.text == "Hello"
    assert answer.content[0].text == " Hello \n"
    assert answer.output_text == " Hello \n"


async def test_the_sdks_text_is_made_where_it_is_missing(server, make_provider, say):
    server.on("/responses", Answer.json(response(text=" Hello")))

    answer = await make_provider(use_responses_api=True).complete(say(metadata={"stream": False}))

    assert answer.text == "Hello"
    assert answer.output_text == " Hello"


@pytest.mark.parametrize(
    ("given", "sent"), [({}, None), ({"max_tokens": 100}, 7024), ({"max_tokens": 9000}, 9000)]
)
async def test_a_thinking_budget_makes_room_only_where_there_is_a_limit(
    server, make_provider, say, given, sent
):
    server.on("/responses", response_stream("Hello"))
    provider = make_provider(use_responses_api=True, thinking_budget_tokens=6000)

    await provider.complete(say(), extended_thinking=True, **given)

    assert server.bodies("/responses")[0].get("max_output_tokens") == sent


IMAGE = {"type": "image", "source": {"type": "base64", "data": "QQ=="}}


async def test_images_in_results_come_after_all_results(server, make_provider, say):
    """A message between them would end the turn for some servers."""
    server.on("/responses", strict(response_stream("Hello")))
    calls = [{"type": "tool_call", "id": name, "name": "look", "input": {}} for name in "ab"]
    results = [
        Message.model_validate({"role": "tool", "tool_call_id": name, "content": [IMAGE]})
        for name in "ba"
    ]
    history = [Message.model_validate({"role": "assistant", "content": calls}), *results]

    await make_provider(use_responses_api=True).complete(say(messages=history))

    (body,) = server.bodies("/responses")
    assert [item["type"] for item in body["input"]] == [
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
        "message",
    ]
    assert [part["type"] for part in body["input"][-1]["content"]] == ["input_image"] * 2


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("retry_jitter", 0.2, True),
        ("retry_jitter", "0.0", False),
        ("max_concurrent_requests", -1, 0),
        ("max_concurrent_requests", "-1", 0),
        ("stop", "END", ["END"]),
        ("stop", ["END", "STOP"], ["END", "STOP"]),
    ],
)
def test_values_that_provider_openai_1_0_took(key, value, read):
    assert getattr(OpenAIProvider("k", config={key: value}).settings, key) == read
