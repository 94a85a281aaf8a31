"""Tool calls there and back, over the socket, on servers that refuse what local ones choke on."""

from __future__ import annotations

import json

import pytest
from amplifier_core.message_models import ChatRequest, Message, ToolSpec
from hypothesis import given, settings

from amplifier_module_provider_openai import OpenAIProvider
from amplifier_module_provider_openai.endpoint import endpoint_of
from amplifier_module_provider_openai.repair import repair_history
from scripted_server import (
    Answer,
    chunk,
    completion,
    refuse_input,
    response,
    response_stream,
    stream,
    strict,
    tool_delta,
)
from scripted_server.histories import HISTORIES

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
LOOK = ToolSpec(name="look", parameters={"type": "object", "properties": {}})
CALLS = [
    {
        "type": "function_call",
        "id": f"fc_{name}",
        "call_id": name,
        "name": "look",
        "arguments": "{}",
    }
    for name in ("a", "b")
]


def user(text="Look"):
    return Message(role="user", content=text)


def result(call_id, content):
    return Message(role="tool", tool_call_id=call_id, name="look", content=content)


def as_loops_send(answer):
    """The assistant's turn, as Amplifier's loops put it into the history."""
    return Message.model_validate(
        {
            "role": "assistant",
            "content": [block.model_dump() for block in answer.content],
            "tool_calls": [
                {"id": call.id, "tool": call.name, "arguments": call.arguments}
                for call in answer.tool_calls or []
            ],
            "metadata": answer.metadata,
        }
    )


@pytest.fixture(params=["responses", "chat"])
def two_calls(request, server, make_provider):
    """A provider whose server calls a tool twice, then answers strictly; and where it is asked."""
    path = RESPONSES if request.param == "responses" else CHAT
    deltas = [tool_delta("{}", index=n, id=i, name="look") for n, i in enumerate("ab")]
    first = (
        Answer.json(response(*CALLS))
        if path == RESPONSES
        else stream(chunk(tool_calls=deltas), chunk(finish="tool_calls"))
    )
    server.on(path, first, strict(response_stream("Hello") if path == RESPONSES else HELLO))
    return make_provider(use_responses_api=path == RESPONSES), path


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("between", [[], [Message(role="system", content="Budget: low")]])
async def test_results_find_their_calls_in_any_order(server, say, two_calls, order, between):
    provider, path = two_calls
    whole = {"stream": False} if path == RESPONSES else {}

    calling = await provider.complete(say("Look", tools=[LOOK], metadata=whole))
    results = [result(call_id, f"seen {call_id}") for call_id in order]
    history = [user(), as_loops_send(calling), *results, *between]
    answer = await provider.complete(say(messages=history, tools=[LOOK]))

    body = server.bodies(path)[1]
    assert [call.id for call in calling.tool_calls] == ["a", "b"]
    assert answer.text == "Hello"
    assert results_in(body) == {"a": "seen a", "b": "seen b"}


def results_in(body):
    """Results in a request of either protocol, by the id of their call."""
    if "input" in body:
        items = [item for item in body["input"] if item.get("type") == "function_call_output"]
        return {item["call_id"]: item["output"] for item in items}
    tools = [message for message in body["messages"] if message["role"] == "tool"]
    return {message["tool_call_id"]: message["content"] for message in tools}


LATE = [
    Message(role="developer", content="A file"),
    Message(role="system", content="Be brief"),
    user("One"),
    Message(role="assistant", content="1"),
    Message(role="system", content="Compacted"),
    Message(role="developer", content=[{"type": "text", "text": "Another file"}]),
    user("Two"),
    Message(role="system", content="It is late"),
]


@pytest.mark.parametrize("protocol", [True, False])
async def test_system_messages_anywhere_are_one_and_first(server, make_provider, say, protocol):
    server.on(CHAT, strict(HELLO)).on(RESPONSES, strict(response_stream("Hello")))

    answer = await make_provider(use_responses_api=protocol).complete(say(messages=LATE))

    sent = json.dumps(server.requests[0].json)
    assert answer.text == "Hello"
    for words in ("A file", "Be brief", "Compacted", "Another file", "It is late", "One", "Two"):
        assert sent.count(words) == 1


@pytest.mark.parametrize("protocol", [True, False])
@pytest.mark.parametrize("arguments", [{}, "", None, "{}", "{broken", "[1]"])
async def test_arguments_in_history_are_always_an_objects_text(
    server, make_provider, say, protocol, arguments
):
    server.on(CHAT, strict(HELLO)).on(RESPONSES, strict(response_stream("Hello")))
    calls = [{"id": "a", "tool": "look", "arguments": arguments}]
    calling = Message.model_validate({"role": "assistant", "content": "", "tool_calls": calls})
    provider = make_provider(use_responses_api=protocol)

    answer = await provider.complete(say(messages=[user(), calling, result("a", "seen")]))

    assert answer.text == "Hello"
    assert results_in(server.requests[0].json) == {"a": "seen"}


async def test_a_choice_of_tools_needs_tools(server, make_provider, say):
    server.on(CHAT, strict(HELLO)).on(RESPONSES, strict(response_stream("Hello")))
    options = {"tool_choice": "auto", "parallel_tool_calls": True}

    for protocol in (True, False):
        answer = await make_provider(use_responses_api=protocol).complete(say(tools=[]), **options)
        assert answer.text == "Hello"


def calling(*ids):
    blocks = [{"type": "tool_call", "id": i, "name": "look", "input": {}} for i in ids]
    return Message.model_validate({"role": "assistant", "content": blocks})


BROKEN = [
    pytest.param([user(), calling("a"), user("Well?")], id="a call without result"),
    pytest.param([user(), calling("a", "b"), result("b", "x")], id="one of two results"),
    pytest.param([user(), result("z", "x")], id="a result without call"),
    pytest.param([user(), calling("a"), result("a", "x"), result("a", "y")], id="two results"),
    pytest.param([user(), calling("a"), user("?"), result("a", "x")], id="a late result"),
    pytest.param([user(), calling("a", "a"), result("a", "x")], id="one id for two"),
    pytest.param([user(), calling(""), result("", "x")], id="no id"),
    pytest.param(
        [user(), calling("a"), result("a", "x"), calling("a"), result("a", "y")], id="an id again"
    ),
]


@pytest.mark.parametrize("protocol", [True, False])
@pytest.mark.parametrize("history", BROKEN)
async def test_a_broken_history_is_mended_on_every_call(
    server, make_provider, say, events, protocol, history
):
    server.on(CHAT, strict(HELLO)).on(RESPONSES, strict(response_stream("Hello")))
    provider = make_provider(use_responses_api=protocol)

    answers = [
        await provider.complete(say(messages=[m.model_copy(deep=True) for m in history]))
        for _ in range(2)
    ]

    assert [answer.text for answer in answers] == ["Hello", "Hello"]
    assert [name for name, _ in events].count("provider:tool_sequence_repaired") <= 1


@pytest.mark.parametrize("url", ["http://localhost/v1", None], ids=["elsewhere", "openai"])
@given(history=HISTORIES)
@settings(max_examples=300, deadline=None)
def test_any_history_is_accepted_by_a_strict_server_of_responses(url, history):
    request = ChatRequest(messages=history)
    repair_history(request, set())

    params = OpenAIProvider("k").responses_params(request, {}, "gpt-5.5", endpoint_of(url))

    assert refuse_input(params["input"], typed=url is not None) is None


@pytest.mark.parametrize("history", BROKEN)
async def test_openai_gets_a_mended_history_too(server, make_provider, say, url_at, history):
    server.on(RESPONSES, response_stream("Hello"))
    provider = make_provider(base_url=url_at("api.openai.com"))

    await provider.complete(say(messages=[m.model_copy(deep=True) for m in history]))

    (body,) = server.bodies(RESPONSES)
    assert refuse_input(body["input"], typed=False) is None


CLOUD = response(
    {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "sealed",
        "summary": [{"type": "summary_text", "text": "I look"}],
    },
    *CALLS,
    id="resp_cloud",
)


async def test_from_openai_to_chat_and_back(server, make_provider, say, url_at):
    """No thought of one side, and no id, gets to the other."""
    server.on(RESPONSES, Answer.json(CLOUD), response_stream("Again", id="resp_2"))
    thinking = chunk("Local words", reasoning_content="local thought")
    server.on(CHAT, strict(stream(thinking, chunk(finish="stop"))))
    cloud = make_provider(base_url=url_at("api.openai.com"), default_model="gpt-5.5")
    local = make_provider(use_responses_api=False)
    history = [user("One")]

    first = await cloud.complete(say(messages=[*history], metadata={"stream": False}))
    history += [as_loops_send(first), result("a", "x"), result("b", "y")]
    second = await local.complete(say(messages=[*history]))
    history += [as_loops_send(second), user("Two")]
    third = await cloud.complete(say(messages=[*history]))

    assert third.text == "Again"
    to_local, to_cloud = server.bodies(CHAT)[0], server.bodies(RESPONSES)[1]
    assert not [word for word in ("sealed", "rs_1", "resp_") if word in json.dumps(to_local)]
    assert "chatcmpl" not in json.dumps(to_cloud)
    assert "local thought" not in json.dumps(to_cloud)
    assert to_cloud.get("previous_response_id") in {None, "resp_cloud"}
    assert results_in(to_local) == results_in(to_cloud) == {"a": "x", "b": "y"}
    assert refuse_calls_of(to_cloud) is None


def refuse_calls_of(body):
    """What is wrong with the calls and results of a request to OpenAI."""
    kinds = {"function_call", "function_call_output"}
    return refuse_input([item for item in body["input"] if item.get("type") in kinds])


async def test_thoughts_of_another_server_of_responses_stay_away_from_openai(
    server, make_provider, say, url_at
):
    local_thought = {
        "type": "reasoning",
        "id": "rs_local",
        "summary": [{"type": "summary_text", "text": "local thought"}],
    }
    message = response(text="Local words")["output"][0]
    server.on(
        RESPONSES,
        Answer.json(CLOUD),
        strict(Answer.json(response(local_thought, message, id="resp_local"))),
        response_stream("Again"),
    )
    chained = {"default_model": "gpt-5.5", "enable_response_chaining": "false"}
    cloud = make_provider(base_url=url_at("api.openai.com"), **chained)
    local = make_provider(use_responses_api=True)
    whole = {"stream": False}

    first = await cloud.complete(say("One", metadata=whole))
    history = [user("One"), as_loops_send(first), result("a", "x"), result("b", "y")]
    second = await local.complete(say(messages=[*history], metadata=whole))
    history += [as_loops_send(second), user("Two")]
    await cloud.complete(say(messages=[*history]))

    _, to_local, to_cloud = (json.dumps(body) for body in server.bodies(RESPONSES))
    assert "sealed" not in to_local
    assert "rs_local" not in to_cloud
    assert "resp_local" not in to_cloud
    assert "sealed" in to_cloud


async def test_a_chat_id_never_becomes_a_previous_response(server, make_provider, say, url_at):
    server.on(CHAT, Answer.json(completion("Hi"))).on(RESPONSES, response_stream("Hello"))
    local = make_provider(use_responses_api=False)
    cloud = make_provider(base_url=url_at("api.openai.com"), default_model="gpt-5.5")

    first = await local.complete(say("One", metadata={"stream": False}))
    await cloud.complete(say(messages=[user("One"), as_loops_send(first), user("Two")]))

    (body,) = server.bodies(RESPONSES)
    assert "previous_response_id" not in body
    assert "chatcmpl" not in json.dumps(body)
