"""What a failure says about a server's protocol, and what it doesn't."""

from __future__ import annotations

import logging

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, completion, response, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
FALLBACK = "provider:protocol_fallback"


async def test_a_reset_says_nothing_where_responses_has_worked(server, make_provider, say):
    server.on(RESPONSES, response_stream("One"), Answer.nothing("reset"), response_stream("Two"))
    server.on(CHAT, HELLO)
    provider = make_provider(max_retries=1, min_retry_delay=0.01)
    await provider.complete(say())
    provider.has_kept_connections = False

    answer = await provider.complete(say())

    assert answer.text == "Two"
    assert CHAT not in server.paths()


@pytest.mark.parametrize(
    "message",
    [
        "Unrecognized reasoning effort 'ultra'",
        "Invalid value for 'input': 5 items are too many",
        "At most 100 instructions are read",
    ],
)
async def test_a_value_that_is_refused_is_no_shape(server, make_provider, say, message):
    refused = Answer.json({"error": {"message": message, "type": "invalid_request_error"}}, 400)
    server.on(RESPONSES, refused).on(CHAT, HELLO)

    with pytest.raises(kernel.InvalidRequestError):
        await make_provider().complete(say())

    assert CHAT not in server.paths()


async def test_a_value_that_fastapi_quotes_is_no_shape(server, make_provider, say):
    where = {"loc": ["body", "temperature"], "msg": "Input should be a number", "input": "x"}
    server.on(RESPONSES, Answer.json({"detail": [where]}, 422)).on(CHAT, HELLO)

    with pytest.raises(kernel.LLMError):
        await make_provider().complete(say())

    assert CHAT not in server.paths()


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]},
        {"error": {"message": "Unrecognized request argument supplied: input"}},
        {"error": {"message": "'input' must be a string"}},
        {"error": "Missing required parameter: messages"},
    ],
)
async def test_a_shape_that_is_unknown_is(server, make_provider, say, body):
    server.on(RESPONSES, Answer.json(body, 422)).on(CHAT, HELLO)

    assert (await make_provider().complete(say())).text == "Hello"


@pytest.mark.parametrize("fields", [{"stop": ["END"]}, {"response_format": {"type": "json"}}])
async def test_a_server_with_responses_alone_is_asked_by_it(
    server, make_provider, say, caplog, fields
):
    server.on(RESPONSES, response_stream("{}")).on(CHAT, Answer.json({"detail": "Not Found"}, 404))
    caplog.set_level(logging.WARNING)
    provider = make_provider()

    answers = [await provider.complete(say(**fields)) for _ in range(2)]

    assert [answer.text for answer in answers] == ["{}", "{}"]
    assert server.paths() == [CHAT, RESPONSES, RESPONSES]
    assert caplog.text.count("has no Chat Completions") == 1


async def test_a_server_with_neither_says_so_and_is_asked_anew(server, make_provider, say):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, Answer(b"", 404))
    provider = make_provider()

    with pytest.raises(kernel.NotFoundError):
        await provider.complete(say(stop=["END"]))
    server.on(CHAT, HELLO)
    answer = await provider.complete(say(stop=["END"]))

    assert answer.text == "Hello"


@pytest.mark.parametrize(
    ("configured", "option", "expected"),
    [
        ("auto", True, [RESPONSES]),
        ("auto", "false", [CHAT]),
        (False, "auto", [RESPONSES]),
        (True, False, [CHAT]),
        (False, None, [CHAT]),
    ],
)
async def test_an_option_decides_before_the_config(
    server, make_provider, say, configured, option, expected
):
    server.on(RESPONSES, response_stream("Hello")).on(CHAT, HELLO)
    provider = make_provider(use_responses_api=configured)

    answer = await provider.complete(say(), use_responses_api=option)

    assert answer.text == "Hello"
    assert server.paths() == expected


async def test_an_option_that_is_explicit_never_switches(server, make_provider, say):
    server.on(RESPONSES, Answer(b"", 405)).on(CHAT, HELLO)

    with pytest.raises(kernel.LLMError):
        await make_provider().complete(say(), use_responses_api=True)

    assert server.paths() == [RESPONSES]


async def test_an_option_that_says_neither_is_refused(make_provider, say):
    with pytest.raises(kernel.InvalidRequestError, match="use_responses_api='maybe'"):
        await make_provider().complete(say(), use_responses_api="maybe")


async def test_the_404_of_a_missing_file_reopens_nothing(server, make_provider, say):
    missing = Answer.json({"error": "File not found: /srv/tiny/config.json"}, 404)
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, HELLO, missing, HELLO)
    provider = make_provider()
    await provider.complete(say())

    with pytest.raises(kernel.NotFoundError, match="File not found"):
        await provider.complete(say())
    await provider.complete(say())

    assert server.paths().count(RESPONSES) == 1


async def test_a_key_that_comes_back_is_told_to_nobody(server, make_provider, say, events, caplog):
    refused = Answer.json({"error": {"message": "test-key is not known here"}})
    server.on(RESPONSES, refused).on(CHAT, Answer.json(completion("Hello")))
    caplog.set_level(logging.INFO)

    await make_provider().complete(say(metadata={"stream": False}))

    (told,) = [data for name, data in events if name == FALLBACK]
    assert "is not known here" in told["reason"]
    assert "test-key" not in told["reason"] + caplog.text


async def test_a_mistake_of_this_module_is_no_reason_for_another_protocol(
    server, make_provider, say, monkeypatch
):
    def stumble(*_args):
        raise TypeError("a mistake of ours")

    monkeypatch.setattr("amplifier_module_provider_openai.responses.BlockEvents.start", stumble)
    server.on(RESPONSES, response_stream("Hello")).on(CHAT, HELLO)

    with pytest.raises(kernel.LLMError, match="a mistake of ours"):
        await make_provider().complete(say())

    assert server.paths() == [RESPONSES]


async def test_what_follows_a_response_is_no_reason_either(server, make_provider, say):
    odd = response({"type": "message", "content": [{"type": "output_text", "text": ["?"]}]})
    server.on(RESPONSES, Answer.json(odd)).on(CHAT, Answer.json(completion("Hello")))

    with pytest.raises(kernel.LLMError):
        await make_provider(max_retries=1).complete(say(metadata={"stream": False}))

    assert server.paths() == [RESPONSES]


async def test_a_gateway_that_warms_up_says_nothing(server, make_provider, say, events):
    server.on(RESPONSES, Answer.json({"detail": "model is loading"}, 404), response_stream("Hello"))
    server.on(CHAT, HELLO)

    answer = await make_provider(max_retries=1, min_retry_delay=0.01).complete(say())

    assert answer.text == "Hello"
    assert server.paths() == [RESPONSES, RESPONSES]
    assert FALLBACK not in [name for name, _ in events]


@pytest.mark.parametrize(("config", "paths"), [({"stop": "END"}, [CHAT]), ({}, [RESPONSES])])
async def test_configured_stops_go_by_chat(server, make_provider, say, config, paths):
    server.on(RESPONSES, response_stream("Hello")).on(CHAT, HELLO)

    await make_provider(**config).complete(say())

    assert server.paths() == paths
