"""Calls that the output limit cuts off: none is carried out, all are paid for (§2.2, §3)."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, chunk, completion, response, stream, tool_delta, usage
from scripted_server.responses import message

CHAT, RESPONSES = "/chat/completions", "/responses"
PRICE = "0.000265"
AT_LIMIT: Any = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
UNREASONED: Any = {"status": "incomplete", "incomplete_details": None}


def call(name, arguments, **fields):
    """A function call item that says no more of itself than it must."""
    item = {"type": "function_call", "id": f"fc_{name}", "call_id": name, "name": name}
    return {**item, "arguments": arguments, **fields}


WHOLE = call("whole", '{"at": 1}', status="completed")
PATCH = {"type": "apply_patch_call", "id": "p_1", "call_id": "patch"}
CREATE = {"type": "create_file", "path": "x", "diff": "+a"}
CUT_ITEMS = [
    pytest.param(call("cut", ""), AT_LIMIT, id="behind its name"),
    pytest.param(call("cut", "", status="completed"), AT_LIMIT, id="called completed"),
    pytest.param(call("cut", "{}"), AT_LIMIT, id="an empty object"),
    pytest.param(call("cut", '{"at": '), AT_LIMIT, id="within its arguments"),
    pytest.param(call("cut", '{"at": 1}', status="incomplete"), AT_LIMIT, id="by its status"),
    pytest.param(call("cut", "", status="incomplete"), UNREASONED, id="for no reason given"),
    pytest.param({**PATCH, "status": "incomplete", "operation": CREATE}, AT_LIMIT, id="a patch"),
]


@pytest.fixture(params=[True, False], ids=["openai", "elsewhere"])
def whole(request, make_provider, say, url_at):
    """Asks OpenAI, or another server of Responses, not streamed."""
    url = {"base_url": url_at("api.openai.com")} if request.param else {}
    provider = make_provider(use_responses_api=True, **url)

    async def ask():
        return await provider.complete(say(metadata={"stream": False}))

    return ask


@pytest.mark.parametrize(("item", "ending"), CUT_ITEMS)
async def test_a_cut_call_is_not_carried_out(server, whole, item, ending):
    server.on(RESPONSES, Answer.json(response(message("Let me see."), item, **ending)))

    with pytest.raises(kernel.InvalidToolCallError) as caught:
        await whole()

    assert not caught.value.retryable
    assert "max_tokens" in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("item", "ending"), CUT_ITEMS)
async def test_whole_calls_before_it_are_delivered_and_made_once(
    server, whole, item, ending, caplog
):
    server.on(RESPONSES, Answer.json(response(WHOLE, item, **ending)))

    answer = await whole()

    assert [(one.id, one.arguments) for one in answer.tool_calls] == [("whole", {"at": 1})]
    assert [block.type for block in answer.content] == ["tool_call"]
    (cut,) = answer.metadata["openai:cut_tool_calls"]
    assert cut["id"] == item["call_id"]
    assert not {"openai:malformed_tool_calls", "openai:response_id"} & answer.metadata.keys()
    assert "cut off" in caplog.text
    assert len(server.requests) == 1


async def test_a_whole_call_before_the_limit_counts(server, whole):
    no_arguments = call("now", "{}", status="completed")
    server.on(RESPONSES, Answer.json(response(call("then", ""), WHOLE, no_arguments, **AT_LIMIT)))

    answer = await whole()

    assert [one.name for one in answer.tool_calls] == ["then", "whole", "now"]
    assert answer.finish_reason == "length"
    assert len(server.requests) == 1


NEEDS = {"type": "function", "name": "now", "parameters": {"required": ["zone"]}}
TAKES = {"type": "function", "name": "now", "parameters": {"required": []}}


@pytest.mark.parametrize(
    ("tools", "made"),
    [([NEEDS], []), ([TAKES], ["now"]), ([{"type": "web_search"}], ["now"]), ("now", ["now"])],
    ids=["needed", "optional", "another tool", "no list"],
)
async def test_a_call_without_the_arguments_that_its_tool_needs_is_cut(server, whole, tools, made):
    no_arguments = call("now", "{}", status="completed")
    server.on(RESPONSES, Answer.json(response(WHOLE, no_arguments, tools=tools, **AT_LIMIT)))

    answer = await whole()

    assert [one.name for one in answer.tool_calls] == ["whole", *made]


async def test_a_half_made_turn_of_chat_keeps_its_whole_calls(server, chat, say):
    deltas = [
        tool_delta('{"at": 1}', index=0, id="whole", name="look"),
        tool_delta('{"at": ', index=1, id="cut", name="look"),
    ]
    server.on(CHAT, stream(chunk(tool_calls=deltas), chunk(finish="length")))

    answer = await chat.complete(say())

    assert [one.id for one in answer.tool_calls] == ["whole"]
    assert answer.finish_reason == "length"
    assert answer.metadata["openai:cut_tool_calls"] == [
        {"id": "cut", "name": "look", "raw": '{"at": '}
    ]


def chat_cut(*, streaming):
    """A priced answer of Chat Completions that is nothing but half a call."""
    half = [tool_delta('{"at": ', index=0, id="a", name="look")]
    if not streaming:
        body = completion(None, "length", tool_calls=half)
        return Answer.json({**body, "model": "gpt-5.5"})
    last = {**chunk(finish="length"), "usage": usage()}
    return stream(*({**part, "model": "gpt-5.5"} for part in (chunk(tool_calls=half), last)))


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
@pytest.mark.parametrize("streaming", [True, False])
async def test_a_cut_call_is_paid_for(server, make_provider, say, events, url_at, path, streaming):
    half = response(call("look", '{"at": '), model="gpt-5.5", **AT_LIMIT)
    server.on(RESPONSES, _as_stream(half) if streaming else Answer.json(half))
    server.on(CHAT, chat_cut(streaming=streaming))
    paid: list[object] = []
    provider = make_provider(
        base_url=url_at("api.openai.com"), use_responses_api=path == RESPONSES, max_retries=2
    )
    provider._add_cost = paid.append

    with pytest.raises(kernel.InvalidToolCallError):
        await provider.complete(say(metadata={"stream": streaming}))

    (told,) = [data for name, data in events if name == "llm:response"]
    assert told["status"] == "error"
    assert told["usage"]["output_tokens"] == 7
    assert told["usage"]["cost_usd"] == PRICE
    assert [str(cost) for cost in paid] == [PRICE]


def _as_stream(final):
    begun = {**final, "status": "in_progress", "output": [], "usage": None}
    return stream(
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.incomplete", "sequence_number": 1, "response": final},
        done=False,
    )


async def test_an_answer_that_never_came_has_no_usage(server, chat, say, events):
    server.on(CHAT, Answer.json({"error": {"message": "no"}}, 400))

    with pytest.raises(kernel.InvalidRequestError):
        await chat.complete(say())

    (told,) = [data for name, data in events if name == "llm:response"]
    assert "usage" not in told


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}


@pytest.mark.parametrize(
    ("parts", "requests", "text"),
    [
        pytest.param([response(THOUGHT, **AT_LIMIT)], 1, None, id="only thoughts"),
        pytest.param([response(message(""), **AT_LIMIT)], 1, None, id="nothing"),
        pytest.param([response(message(""), **UNREASONED)], 2, None, id="nothing, for no reason"),
        pytest.param(
            [response(text="One,", **AT_LIMIT), response(THOUGHT, **AT_LIMIT)],
            2,
            "One,",
            id="no more",
        ),
        pytest.param(
            [response(text="One,", **AT_LIMIT), response(text="two.")], 2, "One,\n\ntwo.", id="more"
        ),
    ],
)
async def test_the_same_request_is_not_paid_again_and_again(
    server, make_provider, say, url_at, parts, requests, text
):
    server.on(RESPONSES, *map(Answer.json, parts))
    provider = make_provider(base_url=url_at("api.openai.com"))

    answer = await provider.complete(say(metadata={"stream": False}))

    assert answer.text == text
    assert len(server.requests) == requests
