"""What goes to the Responses API (contract §2.2): OpenAI's own hosts and others'."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import ChatRequest, Message, ToolSpec

from amplifier_module_provider_openai import OpenAIProvider
from amplifier_module_provider_openai.endpoint import endpoint_of
from scripted_server import Answer, response

RESPONSES = "/responses"
WEATHER = ToolSpec(name="weather", parameters={"type": "object"}, strict=True)


def params(request=None, options=None, model="gpt-5.5", url=None, **config):
    """Parameters for a request as this module would send them to OpenAI, or to `url`."""
    request = request or ChatRequest(messages=[Message(role="user", content="Hi")])
    provider = OpenAIProvider("key", config=config)
    return provider.responses_params(request, options or {}, model, endpoint_of(url))


def asking(*messages, **fields):
    return ChatRequest(messages=list(messages) or [Message(role="user", content="Hi")], **fields)


def test_system_messages_are_the_instructions():
    request = asking(
        Message(role="system", content="One."),
        Message(role="user", content="Hi"),
        Message(role="system", content=[{"type": "text", "text": "Two."}]),
    )

    sent = params(request)

    assert sent["instructions"] == "One.\n\nTwo."
    assert [item["role"] for item in sent["input"]] == ["user"]


def test_developer_messages_come_first_as_context():
    sent = params(
        asking(Message(role="user", content="Hi"), Message(role="developer", content="D"))
    )

    assert sent["input"][0]["content"][0]["text"] == "<context_file>\nD\n</context_file>"


def test_a_tool_round_trip():
    call = {"type": "tool_call", "id": "a", "name": "look", "input": {"at": 1}}
    request = asking(
        Message(role="assistant", content=[{"type": "text", "text": "Let me see."}, call]),
        Message(role="tool", tool_call_id="a", content="seen"),
    )

    items = params(request)["input"]

    assert items[0]["content"] == [{"type": "output_text", "text": "Let me see."}]
    assert items[1] == {
        "type": "function_call",
        "call_id": "a",
        "name": "look",
        "arguments": '{"at": 1}',
    }
    assert items[2] == {"type": "function_call_output", "call_id": "a", "output": "seen"}


def test_other_servers_get_typed_items():
    request = asking(Message(role="assistant", content="A"), Message(role="user", content="B"))

    items = params(request, url="http://localhost/v1")["input"]

    assert [item["type"] for item in items] == ["message", "message"]
    assert items[0]["id"].startswith("msg_")
    assert items[0]["status"] == "completed"
    assert items[0]["content"][0]["annotations"] == []


@pytest.mark.parametrize(
    "state", [["secret", "rs_1"], [{"encrypted_content": "secret", "id": "rs_1"}]]
)
def test_reasoning_goes_back_to_openai_and_to_nobody_else(state):
    thought = {"type": "thinking", "thinking": "Hm.", "content": state}
    request = asking(Message(role="assistant", content=[thought, {"type": "text", "text": "A"}]))

    ours = params(request, enable_response_chaining="false")["input"]
    theirs = params(request, url="http://localhost/v1")["input"]

    assert ours[0] == {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "secret",
        "summary": [{"type": "summary_text", "text": "Hm."}],
    }
    assert [item["type"] for item in theirs] == ["message"]


def test_reasoning_that_openai_kept_is_not_referred_to():
    thought = {"type": "thinking", "thinking": "Hm.", "content": [None, "rs_1"]}
    message = Message(
        role="assistant", content=[thought], metadata={"openai:reasoning_items": ["rs_1"]}
    )

    sent = params(asking(message), enable_response_chaining=False)

    assert sent["input"] == []


@pytest.mark.parametrize(
    ("chaining", "linked"),
    [("auto", True), ("true", True), ("false", False), (False, False), ("", True), (None, True)],
)
def test_turns_are_linked(chaining, linked):
    message = Message(role="assistant", content="A", metadata={"openai:response_id": "resp_1"})

    sent = params(asking(message), enable_response_chaining=chaining)

    assert (sent.get("previous_response_id") == "resp_1") is linked
    assert sent["store"] is linked


@pytest.mark.parametrize(("option", "linked"), [("false", False), ("off", False), ("auto", True)])
def test_turns_are_linked_as_the_call_says(option, linked):
    assert params(options={"enable_response_chaining": option})["store"] is linked


def test_a_reset_chain_is_left_out_once():
    request = asking(
        Message(role="assistant", content="A", metadata={"openai:response_id": "resp_1"})
    )
    provider = OpenAIProvider("key")
    provider._reset_chain_on_next_request = True

    sent = [provider.responses_params(request, {}, "gpt-5.5", endpoint_of(None)) for _ in range(2)]

    assert [params.get("previous_response_id") for params in sent] == [None, "resp_1"]


def test_nothing_of_openais_goes_elsewhere_unasked():
    message = Message(role="assistant", content="A", metadata={"openai:response_id": "resp_1"})

    sent = params(asking(message, tools=[WEATHER]), model="gpt-5.5", url="http://localhost/v1")

    assert set(sent) == {"model", "input", "tools"}


def test_configured_fields_go_everywhere():
    config = {
        "prompt_cache_key": "k",
        "prompt_cache_retention": "in_memory",
        "truncation": "auto",
        "safety_identifier": "me",
        "max_tokens": "99",
        "extra_request_params": {"top_k": 1},
        "parallel_tool_calls": "false",
    }

    sent = params(asking(tools=[WEATHER]), model="x", url="http://localhost/v1", **config)

    assert sent["prompt_cache_key"] == "k"
    assert sent["prompt_cache_retention"] == "in_memory"
    assert sent["truncation"] == "auto"
    assert sent["safety_identifier"] == "me"
    assert sent["max_output_tokens"] == 99
    assert sent["extra_body"] == {"top_k": 1}
    assert sent["parallel_tool_calls"] is False


def test_request_fields_that_responses_can_say():
    schema = {"type": "json_schema", "json_schema": {"type": "object"}, "strict": True}
    request = asking(
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        response_format=schema,
        top_p=0.5,
        temperature=0.0,
    )

    sent = params(request)

    assert sent["tool_choice"] == {"type": "function", "name": "weather"}
    assert sent["text"]["format"] == {
        "type": "json_schema",
        "name": "response",
        "schema": {"type": "object"},
        "strict": True,
    }
    assert (sent["top_p"], sent["temperature"]) == (0.5, 0.0)
    assert sent["tools"][0]["strict"] is True


def test_any_json_as_format():
    sent = params(asking(response_format={"type": "json"}))

    assert sent["text"] == {"format": {"type": "json_object"}}


def test_hosted_tools_go_as_they_are():
    sent = params(options={"tools": [{"type": "web_search"}]})

    assert sent["tools"] == [{"type": "web_search"}]
    assert sent["tool_choice"] == "auto"
    assert sent["parallel_tool_calls"] is True


@pytest.mark.parametrize(
    ("config", "fields", "options", "expected"),
    [
        ({}, {}, {}, None),
        ({"reasoning_effort": "low"}, {}, {}, {"effort": "low", "summary": "detailed"}),
        ({"reasoning": "low"}, {}, {}, {"effort": "low", "summary": "detailed"}),
        ({"reasoning": {"summary": "auto"}}, {}, {}, {"effort": "medium", "summary": "auto"}),
        ({}, {"reasoning_effort": "high"}, {}, {"effort": "high", "summary": "detailed"}),
        ({}, {}, {"extended_thinking": True}, {"effort": "high", "summary": "detailed"}),
        (
            {"reasoning_effort": "none"},
            {},
            {"extended_thinking": True},
            {"effort": "high", "summary": "detailed"},
        ),
        (
            {"reasoning_effort": "low"},
            {},
            {"extended_thinking": True, "reasoning_effort": "xhigh"},
            {"effort": "xhigh", "summary": "detailed"},
        ),
        ({"reasoning": "none"}, {}, {}, {"effort": "none", "summary": "detailed"}),
    ],
)
def test_reasoning_as_asked_for(config, fields, options, expected):
    sent = params(asking(**fields), options, **config)

    assert sent.get("reasoning") == expected


def test_a_thinking_budget_makes_room():
    sent = params(options={"extended_thinking": True, "thinking_budget_tokens": 6000})

    assert sent["max_output_tokens"] == 7024


async def test_an_effort_that_the_model_refuses_is_not_sent(server, make_provider, say):
    with pytest.raises(kernel.InvalidRequestError):
        await make_provider(
            base_url="https://api.openai.com/v1", default_model="gpt-5.5-pro"
        ).complete(say(reasoning_effort="low"))

    assert not server.requests


async def test_elsewhere_it_is_another_model_of_that_name(server, make_provider, say):
    server.on(RESPONSES, Answer.json(response(text="Hello")))
    request = say(reasoning_effort="low", metadata={"stream": False})

    answer = await make_provider(default_model="gpt-5.5-pro").complete(request)

    assert answer.text == "Hello"


@pytest.mark.parametrize(
    ("model", "url", "expected"),
    [
        ("gpt-5.5-pro", None, None),
        ("o3", None, {"summary": "auto"}),
        ("tiny", "http://localhost/v1", None),
    ],
)
def test_what_the_setup_wizard_writes_asks_for_nothing(model, url, expected):
    assert params(model=model, url=url, reasoning_effort="none").get("reasoning") == expected


async def test_the_event_tells_of_reasoning_as_it_is_sent(
    server, make_provider, say, events, url_at
):
    server.on(RESPONSES, Answer.json(response(text="Hello")))
    request = say(metadata={"stream": False})
    provider = make_provider(base_url=url_at("api.openai.com"), thinking_budget_tokens=6000)

    for model in ("o3", "gpt-4o"):
        await provider.complete(request, model=model)
    await provider.complete(request, extended_thinking=True)

    told = [data for name, data in events if name == "llm:request"]
    assert [data["reasoning_enabled"] for data in told] == [True, False, True]
    assert [data["thinking_budget"] for data in told] == [None, None, 6000]


async def test_it_arrives_as_it_should(server, make_provider, say):
    server.on(RESPONSES, Answer.json(response(text="Hello")))
    provider = make_provider(use_responses_api=True)

    await provider.complete(say(tools=[WEATHER], metadata={"stream": False}))

    (body,) = server.bodies(RESPONSES)
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert body["tools"][0]["name"] == "weather"
    assert not [key for key, value in body.items() if value is None]


def test_images_and_orphans():
    image = {"type": "image", "source": {"type": "base64", "data": "QQ=="}}
    request = asking(
        Message(role="user", content=[{"type": "text", "text": "See"}, image]),
        Message(role="tool", tool_call_id="gone", content=[image]),
        Message(role="tool", name="look", content="42"),
    )

    items = params(request)["input"]

    assert items[0]["content"][1]["image_url"] == "data:image/jpeg;base64,QQ=="
    assert items[1]["content"][0]["text"] == "[Tool: unknown]\n"
    assert items[1]["content"][1]["type"] == "input_image"
    assert items[2]["content"][0]["text"] == "[Tool: look]\n42"


def test_a_retention_that_the_model_lacks_is_left_out_with_a_warning(caplog):
    sent = params(model="gpt-5.5", prompt_cache_retention="in_memory")

    assert "prompt_cache_retention" not in sent
    assert "in_memory" in caplog.text


@pytest.mark.parametrize(
    ("model", "fields", "included"),
    [
        ("gpt-5.5", {}, True),
        ("gpt-5.5", {"reasoning_effort": "none"}, False),
        ("gpt-5.5", {"reasoning_effort": "low"}, True),
        ("gpt-4o", {}, False),
    ],
)
def test_encrypted_reasoning_is_asked_for_when_there_is_any(model, fields, included):
    sent = params(asking(**fields), model=model, enable_response_chaining=False)

    assert ("include" in sent) is included


def test_models_that_reason_by_themselves_are_asked_for_a_summary():
    assert params(model="o3")["reasoning"] == {"summary": "auto"}
    assert OpenAIProvider("key")._model_may_reason("o3") is True


def test_the_native_patch_tool_when_the_session_has_its_engine(coordinator):
    coordinator.register_capability("apply_patch.engine", "native")
    provider = OpenAIProvider("key", coordinator=coordinator)

    tools = provider._convert_tools_from_request([ToolSpec(name="apply_patch", parameters={})])

    assert tools == [{"type": "apply_patch"}]


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ("M src/main.py", "completed"),
        ('{"success": true}', "completed"),
        ('{"success": false}', "failed"),
        ("File already exists: x", "failed"),
    ],
)
def test_whether_a_patch_went_in(output, status):
    provider = OpenAIProvider("key")
    provider._native_call_ids = {"a"}

    (item,) = provider._convert_messages([{"role": "tool", "tool_call_id": "a", "content": output}])

    assert item["status"] == status


async def test_others_get_the_patch_tool_as_a_function(server, make_provider, say, coordinator):
    coordinator.register_capability("apply_patch.engine", "native")
    server.on(RESPONSES, Answer.json(response(text="Hello")))
    operation = {"type": "delete_file", "path": "x"}
    call = {"type": "tool_call", "id": "a", "name": "apply_patch", "input": operation}
    history = [
        Message(role="assistant", content=[call]),
        Message(role="tool", tool_call_id="a", content="gone"),
    ]
    tools = [ToolSpec(name="apply_patch", parameters={})]
    provider = make_provider(use_responses_api=True)

    await provider.complete(say(messages=history, tools=tools, metadata={"stream": False}))

    (body,) = server.bodies(RESPONSES)
    assert [item["type"] for item in body["input"]] == ["function_call", "function_call_output"]
    assert body["tools"][0]["type"] == "function"
