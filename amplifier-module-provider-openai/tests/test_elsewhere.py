"""What holds for OpenAI alone, and what of other servers' answers is kept (contract §1.6, §7.5)."""

from __future__ import annotations

from typing import Any

import pytest

from amplifier_module_provider_openai import OpenAIProvider, get_capabilities
from amplifier_module_provider_openai._response_handling import convert_response
from scripted_server import Answer, response

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
