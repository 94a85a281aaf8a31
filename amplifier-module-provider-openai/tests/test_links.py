"""Results whose calls OpenAI may have stored, and what becomes of them if it has not (§2.1)."""

from __future__ import annotations

import json

import pytest
from amplifier_core.message_models import Message

from amplifier_module_provider_openai import OpenAIProvider
from scripted_server import Answer, refuse_input, response_stream

RESPONSES = "/responses"
IMAGE = {"type": "image", "source": {"type": "base64", "data": "QQ=="}}
STORED = Message(role="assistant", content="A", metadata={"openai:response_id": "resp_0"})
ORPHAN = Message(role="tool", tool_call_id="gone", name="look", content="42")
SENT = {"type": "function_call_output", "call_id": "gone", "output": "42"}


@pytest.fixture
def openai(make_provider, url_at):
    """Makes providers that take the scripted server for OpenAI."""
    return lambda **config: make_provider(base_url=url_at("api.openai.com"), **config)


async def sent(server, provider, request):
    """The input of the last request that a call makes."""
    await provider.complete(request)
    return server.bodies(RESPONSES)[-1]["input"]


async def test_the_result_of_a_call_that_openai_has_stored_finds_it(server, openai, say):
    server.on(RESPONSES, response_stream("Hello"))
    provider = openai(enable_state=True)

    items = await sent(server, provider, say(messages=[STORED, ORPHAN]))

    assert SENT in items
    assert server.bodies(RESPONSES)[0]["previous_response_id"] == "resp_0"


@pytest.mark.parametrize("config", [{}, {"enable_response_chaining": "false"}])
async def test_without_a_stored_answer_it_is_the_users_words(server, openai, say, config):
    server.on(RESPONSES, response_stream("Hello"))

    items = await sent(server, openai(**config), say(messages=[STORED, ORPHAN]))

    assert "previous_response_id" not in server.bodies(RESPONSES)[0]
    assert items[-1]["content"] == [{"type": "input_text", "text": "[Tool: look]\n42"}]


async def test_a_chain_that_is_lost_takes_its_calls_along(server, openai, say, events):
    lost = {"error": {"message": "x", "code": "previous_response_not_found"}}
    server.on(RESPONSES, Answer.json(lost, 404), response_stream("Hello"))
    provider = openai(enable_state=True)

    items = await sent(server, provider, say(messages=[STORED, ORPHAN]))

    linked, unlinked = server.bodies(RESPONSES)
    assert SENT in linked["input"]
    assert "previous_response_id" not in unlinked
    assert refuse_input(items, typed=False) is None
    assert "[Tool: look]\\n42" in json.dumps(items)


async def test_a_linked_request_gives_each_call_one_result(server, openai, say):
    server.on(RESPONSES, response_stream("Hello"))
    call = {"type": "tool_call", "id": "a", "name": "look", "input": {}}
    results = [
        Message(role="tool", tool_call_id="a", content=content) for content in ("one", [IMAGE])
    ]
    calling = Message.model_validate({"role": "assistant", "content": [call]})
    history = [STORED, calling, *results, ORPHAN, ORPHAN]

    items = await sent(server, openai(enable_state=True), say(messages=history))

    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert outputs == ["a", "gone"]
    assert json.dumps(items).count("[Tool: look]\\n42") == 1


def test_messages_that_a_subclass_converts_stay_as_they_are():
    """As provider-openai 1.0 wrote them: nobody says what they will be sent with."""
    call = {"type": "tool_call", "id": "a", "name": "look", "input": {}}
    calling = Message.model_validate({"role": "assistant", "content": [call]})

    items = OpenAIProvider("k")._convert_messages([calling, ORPHAN])

    assert [item["type"] for item in items] == ["function_call", "function_call_output"]
