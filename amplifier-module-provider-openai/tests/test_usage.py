"""What one call tells of itself: its request, its tokens, nothing secret (contract §1.10)."""

from __future__ import annotations

import json

import pytest
from amplifier_core.message_models import Message

from scripted_server import Answer, chunk, completion, response, response_stream, stream, usage

CHAT, RESPONSES = "/chat/completions", "/responses"
SECRET = "sk-abcdefghijklmnopqrstuvwxyz0123456789"
DETAILS = usage(
    prompt_tokens_details={"cached_tokens": 0},
    completion_tokens_details={"reasoning_tokens": 0},
)


def told(events, name):
    """Payload of the only event of that name."""
    (payload,) = [data for event, data in events if event == name]
    return payload


END = chunk(finish="stop")
LAST = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
WITH_USAGE = [
    pytest.param([{**END, "usage": DETAILS}], id="on the last choice"),
    pytest.param([END, {**LAST, "choices": [], "usage": DETAILS}], id="in a chunk of its own"),
    pytest.param([{**END, "usage": None}, {**LAST, "choices": [], "usage": DETAILS}], id="null"),
    pytest.param(
        [{**END, "usage": DETAILS}, {**LAST, "choices": [], "usage": DETAILS}], id="in both"
    ),
    pytest.param([END, {**LAST, "usage": DETAILS}], id="without choices"),
]
WITHOUT_USAGE = [
    pytest.param([END], id="absent"),
    pytest.param([{**END, "usage": None}], id="null"),
    pytest.param([{**END, "usage": {}}], id="empty"),
]


@pytest.mark.parametrize("ends", WITH_USAGE)
async def test_tokens_are_counted_wherever_they_come(server, chat, say, events, ends):
    server.on(CHAT, stream(chunk("Hello"), *ends))

    answer = await chat.complete(say())

    counts = told(events, "llm:response")["usage"]
    assert counts == {
        "input_tokens": 11,
        "output_tokens": 7,
        "cache_read_tokens": 0,
        "cost_usd": None,
    }
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert answer.usage.total_tokens == 18
    assert answer.usage.cache_read_tokens == answer.usage.reasoning_tokens == 0


@pytest.mark.parametrize("ends", WITHOUT_USAGE)
async def test_tokens_that_nobody_counted_are_numbers_too(server, chat, say, events, ends):
    server.on(CHAT, stream(chunk("Hello"), *ends))

    await chat.complete(say())

    counts = told(events, "llm:response")["usage"]
    assert counts == {"input_tokens": 0, "output_tokens": 0, "cost_usd": None}
    assert all(type(counts[key]) is int for key in ("input_tokens", "output_tokens"))


@pytest.mark.parametrize("count", [0, 5])
@pytest.mark.parametrize("streaming", [True, False])
async def test_cached_and_reasoning_tokens(server, chat, say, events, count, streaming):
    counted = usage(
        prompt_tokens_details={"cached_tokens": count},
        completion_tokens_details={"reasoning_tokens": count},
    )
    streamed = stream(chunk("Hello"), {**END, "usage": counted})
    server.on(
        CHAT, streamed if streaming else Answer.json({**completion("Hello"), "usage": counted})
    )

    answer = await chat.complete(say(metadata={"stream": streaming}))

    assert told(events, "llm:response")["usage"]["cache_read_tokens"] == count
    assert answer.usage.reasoning_tokens == count


@pytest.mark.parametrize("streaming", [True, False])
async def test_tokens_are_counted_across_the_fallback(
    server, make_provider, say, events, streaming
):
    server.on(RESPONSES, Answer(b"", 404))
    streamed = stream(chunk("Hello"), {**END, "usage": usage()})
    server.on(CHAT, streamed if streaming else Answer.json(completion("Hello")))

    await make_provider().complete(say(metadata={"stream": streaming}))

    names = [name for name, _ in events if not name.startswith("llm:stream")]
    assert names == [
        "llm:request",
        "provider:concurrency",
        "provider:protocol_fallback",
        "llm:response",
    ]
    answered = told(events, "llm:response")
    assert answered["status"] == "ok"
    assert answered["usage"] == {"input_tokens": 11, "output_tokens": 7, "cost_usd": None}
    assert type(answered["duration_ms"]) is int


REQUEST_KEYS = {
    "provider": "openai",
    "model": "tiny",
    "message_count": 1,
    "has_instructions": False,
    "reasoning_enabled": False,
    "thinking_enabled": False,
    "thinking_budget": None,
    "background_mode": False,
}


@pytest.fixture(params=[True, False], ids=["responses", "chat"])
def asked(request, server, make_provider, say, events):
    """What `llm:request` says of a call, by either protocol."""
    server.on(RESPONSES, response_stream("Hi")).on(CHAT, stream(chunk("Hi"), END))

    async def ask(*, config=None, options=None, **fields):
        provider = make_provider(use_responses_api=request.param, **(config or {}))
        await provider.complete(say(**fields), **(options or {}))
        payload = dict(told(events, "llm:request"))
        assert len(payload.pop("request_id")) == 36
        payload.pop("timestamp", None)  # the kernel's
        sent = server.requests[-1].json
        assert payload["reasoning_enabled"] is bool({"reasoning", "reasoning_effort"} & sent.keys())
        return payload

    return ask


async def test_a_plain_request_has_every_key(asked):
    payload = await asked()

    assert payload == REQUEST_KEYS
    assert all(type(payload[key]) is type(value) for key, value in REQUEST_KEYS.items())


@pytest.mark.parametrize(
    ("fields", "options", "config", "expected"),
    [
        ({"model": "small"}, {}, {}, {"model": "small"}),
        ({}, {"model": "large"}, {}, {"model": "large"}),
        (
            {"messages": [Message(role="system", content="s"), Message(role="user", content="u")]},
            {},
            {},
            {"message_count": 2, "has_instructions": True},
        ),
        ({"reasoning_effort": "high"}, {}, {}, {"reasoning_enabled": True}),
        ({}, {"reasoning": {"effort": "low"}}, {}, {"reasoning_enabled": True}),
        ({}, {}, {"reasoning": "low"}, {"reasoning_enabled": True}),
        (
            {},
            {"extended_thinking": True, "thinking_budget_tokens": 99},
            {},
            {"thinking_enabled": True, "thinking_budget": 99},
        ),
        (
            {},
            {"extended_thinking": True},
            {"thinking_budget_tokens": "77"},
            {"thinking_enabled": True, "thinking_budget": 77},
        ),
        ({}, {"thinking_budget_tokens": 99}, {}, {}),
    ],
)
async def test_what_is_asked_for_is_told(asked, fields, options, config, expected):
    payload = await asked(options=options, config=config, **fields)

    thinks = payload["reasoning_enabled"] if "extended_thinking" in options else False
    assert payload == {**REQUEST_KEYS, "reasoning_enabled": thinks, **expected}


async def test_background_mode_is_told(server, make_provider, say, events, url_at):
    server.on(RESPONSES, Answer.json(response(text="Done")))

    await make_provider(base_url=url_at("api.openai.com")).complete(say(), background=True)

    assert told(events, "llm:request")["background_mode"] is True


async def test_raw_has_no_secret(asked, events):
    config = {"raw": "true", "extra_request_params": {"api_key": SECRET, "x": {"token": SECRET}}}

    payload = await asked(config=config)

    assert set(payload) == {*REQUEST_KEYS, "raw"}
    assert payload["raw"]["model"] == "tiny"
    assert SECRET not in json.dumps([data for _, data in events])


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
@pytest.mark.parametrize("streaming", [True, False])
async def test_raw_of_an_answer_has_no_secret(server, make_provider, say, events, path, streaming):
    whole = {**completion("Hi"), "api_key": SECRET} if path == CHAT else response(api_key=SECRET)
    streamed = (
        stream({**chunk("Hi"), "api_key": SECRET}, END)
        if path == CHAT
        else response_stream("Hi", api_key=SECRET)
    )
    server.on(path, streamed if streaming else Answer.json(whole))

    provider = make_provider(use_responses_api=path == RESPONSES, raw=True)
    await provider.complete(say(metadata={"stream": streaming}))

    answered = told(events, "llm:response")
    assert answered["raw"]["model"] == "tiny"
    assert SECRET not in json.dumps(answered)


async def test_without_raw_there_is_none(server, chat, say, events):
    server.on(CHAT, stream(chunk("Hi"), END))

    await chat.complete(say())

    assert not [name for name, data in events if "raw" in data]
