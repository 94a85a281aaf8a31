"""Responses as llama.cpp (b11549) streams it: no output indexes, no sequence numbers."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import ToolSpec

from scripted_server import chunk, response, stream

RESPONSES = "/responses"


def bare(event, **fields):
    """An event without indexes."""
    return {"type": f"response.{event}", **fields}


def call(item_id, **fields):
    """A function call item."""
    return {"type": "function_call", "id": item_id, "call_id": item_id, "name": "look", **fields}


CALL = call("fc_1", arguments="{}")
THOUGHT_AND_CALL = [
    bare("created", response={"id": "resp_1", "status": "in_progress"}),
    bare("output_item.added", item={"type": "reasoning", "id": "rs_1"}),
    bare("reasoning_text.delta", delta="Hm."),
    bare("output_item.done", item={"type": "reasoning", "id": "rs_1"}),
    bare("output_item.added", item={"type": "function_call", "name": "look"}),
    bare("function_call_arguments.delta", delta="{}"),
    bare("output_item.done", item={"type": "function_call", "name": "look"}),
    bare("completed", response=response(CALL)),
]


def blocks(events, kind):
    """(index, type) of the block events of a kind."""
    name = f"llm:stream_block_{kind}"
    return [(data["block_index"], data["block_type"]) for event, data in events if event == name]


async def test_events_with_gaps_are_read_when_responses_is_set(server, make_provider, say, events):
    server.on(RESPONSES, stream(*THOUGHT_AND_CALL))

    answer = await make_provider(use_responses_api=True, raw=True).complete(say())

    assert answer.tool_calls[0].name == "look"
    assert blocks(events, "start") == [(0, "thinking"), (1, "tool_use")]
    assert [d["raw"]["id"] for n, d in events if n == "llm:response"] == ["resp_1"]


async def test_items_that_end_together_are_told_apart_by_id(server, make_provider, say, events):
    text = {"type": "message", "id": "msg_1", "content": []}
    server.on(
        RESPONSES,
        stream(
            bare("output_item.added", item=text),
            bare("output_item.added", item=call("fc_1")),
            bare("output_item.added", item=call("fc_2")),
            bare("output_text.delta", item_id="msg_1", delta="Looking."),
            bare("output_item.done", item=text),
            bare("output_item.done", item=call("fc_1")),
            bare("output_item.done", item=call("fc_2")),
            bare("completed", response=response(CALL, call("fc_2", arguments="{}"))),
        ),
    )

    answer = await make_provider(use_responses_api=True).complete(say())

    order = [(0, "text"), (1, "tool_use"), (2, "tool_use")]
    assert len(answer.tool_calls) == 2
    assert blocks(events, "start") == blocks(events, "end") == order
    assert blocks(events, "delta") == [(0, "text")]


async def test_events_with_gaps_are_another_protocol_otherwise(server, make_provider, say):
    server.on(RESPONSES, stream(*THOUGHT_AND_CALL))
    server.on("/chat/completions", stream(chunk("Hello"), chunk(finish="stop")))

    answer = await make_provider().complete(say())

    assert answer.text == "Hello"


async def test_a_response_that_is_cut_off_is_an_error(server, make_provider, say):
    server.on(RESPONSES, stream(*THOUGHT_AND_CALL[:3]))

    with pytest.raises(kernel.StreamError):
        await make_provider(use_responses_api=True).complete(say())


@pytest.mark.parametrize(
    ("choice", "names", "sent"),
    [
        ("none", None, None),
        ({"type": "function", "name": "now"}, ["now"], "required"),
        ({"type": "function", "function": {"name": "now"}}, ["now"], "required"),
    ],
)
async def test_a_choice_that_such_servers_do_not_read_is_put_into_the_tools(
    server, make_provider, say, choice, names, sent
):
    server.on(RESPONSES, stream(*THOUGHT_AND_CALL))
    tools = [ToolSpec(name=name, parameters={}) for name in ("look", "now")]

    await make_provider(use_responses_api=True).complete(say(tools=tools, tool_choice=choice))

    body = server.bodies(RESPONSES)[0]
    assert ([tool["name"] for tool in body["tools"]] if names else body.get("tools")) == names
    assert body.get("tool_choice") == sent
