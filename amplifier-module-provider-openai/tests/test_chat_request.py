"""What goes over the wire to a server that speaks Chat Completions (contract §2.3)."""

from __future__ import annotations

import pytest
from amplifier_core.message_models import Message, ToolSpec

from scripted_server import Answer, chunk, completion, stream

CHAT = "/chat/completions"
OK = stream(chunk("ok"), chunk(finish="stop"))
WEATHER = ToolSpec(
    name="weather",
    description="The weather in a city",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)


@pytest.fixture
def sent(server, make_provider, say):
    """Completes one request and returns its body as the server saw it."""

    async def send(*, config=None, options=None, **fields):
        server.on(CHAT, OK)
        provider = make_provider(use_responses_api=False, **(config or {}))
        await provider.complete(say(**fields), **(options or {}))
        return server.bodies(CHAT)[-1]

    return send


async def test_a_plain_question_has_nothing_but_what_it_needs(sent):
    body = await sent()

    assert body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("fields", "options", "config", "expected"),
    [
        ({"temperature": 0.0}, {"temperature": 1}, {"temperature": "1"}, 0.0),
        ({}, {"temperature": 0.5}, {"temperature": 1}, 0.5),
        ({}, {}, {"temperature": "0"}, 0.0),
    ],
)
async def test_temperature_of_request_then_options_then_config(
    sent, fields, options, config, expected
):
    body = await sent(config=config, options=options, **fields)

    assert body["temperature"] == expected


@pytest.mark.parametrize(
    ("fields", "options", "config", "expected"),
    [
        ({"max_output_tokens": 5}, {"max_tokens": 6}, {"max_tokens": 7}, 5),
        ({}, {"max_tokens": 6}, {"max_tokens": 7}, 6),
        ({}, {}, {"max_tokens": "7"}, 7),
        ({}, {}, {}, None),
    ],
)
async def test_no_output_limit_unless_somebody_sets_one(sent, fields, options, config, expected):
    body = await sent(config=config, options=options, **fields)

    assert body.get("max_tokens") == expected


@pytest.mark.parametrize(
    ("options", "model", "expected"),
    [({"model": "a"}, "b", "a"), ({}, "b", "b"), ({}, None, "tiny")],
)
async def test_model_of_options_then_request_then_config(sent, options, model, expected):
    body = await sent(options=options, model=model)

    assert body["model"] == expected


async def test_sampling_fields_are_passed_on(sent):
    body = await sent(config={"seed": "7"}, top_p=0.5, stop=["END"])

    assert (body["seed"], body["top_p"], body["stop"]) == (7, 0.5, ["END"])


async def test_tools_have_the_nested_shape_and_no_choice_unasked(sent):
    body = await sent(tools=[WEATHER, ToolSpec(name="now", parameters={})])

    assert body["tools"][0]["function"] == WEATHER.model_dump()
    assert body["tools"][1]["function"]["description"] == ""
    assert body["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert "tool_choice" not in body
    assert "parallel_tool_calls" not in body


async def test_tools_that_must_not_be_called_are_left_out(sent):
    body = await sent(tools=[WEATHER], tool_choice="none")

    assert not {"tools", "tool_choice"} & set(body)


async def test_empty_tools_are_left_out(sent):
    body = await sent(tools=[], tool_choice="auto")

    assert "tools" not in body
    assert "tool_choice" not in body


async def test_strict_is_passed_on_if_it_is_a_flag(sent):
    tools = [
        ToolSpec(name="a", parameters={}, strict=True),
        ToolSpec(name="b", parameters={}, strict=None),
    ]

    body = await sent(tools=tools)

    assert body["tools"][0]["function"]["strict"] is True
    assert "strict" not in body["tools"][1]["function"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", "required"),
        ({"type": "function", "name": "tide"}, {"type": "function", "function": {"name": "tide"}}),
        (
            {"type": "function", "function": {"name": "tide"}},
            {"type": "function", "function": {"name": "tide"}},
        ),
    ],
)
async def test_a_choice_of_a_tool_that_is_not_there_is_the_servers_to_refuse(
    sent, choice, expected
):
    body = await sent(tools=[WEATHER], tool_choice=choice)

    assert body["tool_choice"] == expected


@pytest.mark.parametrize("function", [{"name": "now"}, {"function": {"name": "now"}}])
async def test_a_named_tool_is_the_only_one_and_required_once(sent, function):
    tools = [WEATHER, ToolSpec(name="now", parameters={})]

    body = await sent(tools=tools, tool_choice={"type": "function", **function})

    assert [tool["function"]["name"] for tool in body["tools"]] == ["now"]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)


async def test_hosted_tools_are_left_out_with_a_warning(sent, caplog):
    search = ToolSpec(name="search", parameters={}, type="web_search")

    body = await sent(tools=[search, WEATHER], options={"tools": [{"type": "file_search"}]})

    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather"]
    assert "web_search" in caplog.text


async def test_apply_patch_becomes_a_function(sent):
    body = await sent(tools=[ToolSpec(name="apply_patch", parameters={}, type="apply_patch")])

    assert body["tools"][0]["function"]["name"] == "apply_patch"


async def test_tools_given_as_options_may_have_chats_own_shape(sent):
    tool = {"type": "function", "function": {"name": "x", "parameters": {}}}

    body = await sent(options={"tools": [tool]})

    assert body["tools"] == [tool]


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": SCHEMA, "strict": True},
            {
                "type": "json_schema",
                "json_schema": {"name": "response", "schema": SCHEMA, "strict": True},
            },
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        ),
    ],
)
async def test_response_format(sent, wanted, expected):
    body = await sent(response_format=wanted)

    assert body.get("response_format") == expected


@pytest.mark.parametrize(
    ("config", "fields", "options", "expected"),
    [
        ({}, {}, {}, None),
        ({"reasoning_effort": "none"}, {}, {}, None),
        ({"reasoning_effort": "low"}, {}, {}, "low"),
        ({"reasoning": {"effort": "high"}}, {}, {}, "high"),
        ({"reasoning_effort": "low"}, {"reasoning_effort": "high"}, {}, "high"),
        ({}, {"reasoning_effort": "high"}, {"reasoning": {"effort": "low"}}, "low"),
    ],
)
async def test_reasoning_effort_only_if_asked_for(sent, config, fields, options, expected):
    body = await sent(config=config, options=options, **fields)

    assert body.get("reasoning_effort") == expected


async def test_extra_request_params_win_over_everything(sent):
    extra = {"temperature": 1, "chat_template_kwargs": {"enable_thinking": False}}

    body = await sent(config={"extra_request_params": extra}, temperature=0)

    assert body["temperature"] == 1
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


async def test_openais_own_fields_stay_at_home(sent):
    body = await sent(
        config={"enable_state": True, "prompt_cache_key": "k", "truncation": "auto"},
        options={"include": ["x"]},
        model="gpt-5.5",
    )

    strangers = {"store", "prompt_cache_key", "prompt_cache_retention", "include", "truncation"}
    assert not strangers & set(body)


async def test_a_server_without_stream_options_is_asked_once_more_and_remembered(server, chat, say):
    refusal = Answer.json({"error": {"message": "unknown field stream_options"}}, 400)
    server.on(CHAT, refusal, OK)

    answers = [await chat.complete(say()) for _ in range(2)]

    assert [answer.text for answer in answers] == ["ok", "ok"]
    assert ["stream_options" in body for body in server.bodies(CHAT)] == [True, False, False]


async def test_whole_answers_are_not_streamed(server, chat, say):
    server.on(CHAT, Answer.json(completion("Hello")))

    answer = await chat.complete(say(metadata={"stream": False}))

    assert answer.text == "Hello"
    assert "stream" not in server.bodies(CHAT)[0]
    assert chat.use_streaming is True


async def test_the_key_and_nothing_else_of_openais_goes_into_the_headers(
    server, make_provider, say, monkeypatch
):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    server.on(CHAT, OK)

    await make_provider(use_responses_api=False).complete(say())

    headers = server.requests[0].headers
    assert headers["authorization"] == "Bearer test-key"
    assert not {"openai-organization", "openai-project"} & set(headers)


async def test_messages_without_any_words_still_make_a_request(sent):
    body = await sent(messages=[Message(role="system", content="Be brief.")])

    assert [message["role"] for message in body["messages"]] == ["system", "user"]
