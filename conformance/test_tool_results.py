"""Tool results: what a tool answered is part of the conversation."""

import re
from typing import Any

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import Message, ToolCall, assistant, result
from conformance.wire import WireAsker
from fixtures.tools import FILES, FIND, READ, WEATHER

QUESTION = "What is the weather in Oslo?"
OSLO = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
LIMA = ToolCall("call_2", "get_weather", '{"city": "Lima"}')
CALL = {
    "id": "call_oslo",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}

#: Thirty-six words, none of them twice.
LONG = (
    "tiger river lamp plum apple stone cloud green window garden silver forest yellow orange "
    "purple mountain ocean candle bridge castle flower butter pencil paper rabbit monkey dragon "
    "winter summer autumn spring water fire earth wind snow"
)


@check("tools.result-used")
async def test_result_used(ask: Asker) -> None:
    """What the tool said is in the answer, and no further call is made."""
    question = "What is the weather in Oslo?"
    first = await ask(question, tools=[WEATHER])

    reply = await ask(question, first, result(first.call, "12 degrees, rain"), tools=[WEATHER])

    assert "12 degrees, rain" in reply.text
    assert not reply.tool_calls, reply.described
    assert reply.finish_reason == "stop"


@check("tools.results-apart")
async def test_results_apart(ask: Asker) -> None:
    """Two results of one turn are told apart."""
    reply = await ask(
        "What is the weather in Oslo and Lima?",
        assistant(calls=[OSLO, LIMA]),
        result(OSLO, "12 degrees, rain"),
        result(LIMA, "20 degrees, sun"),
        tools=[WEATHER],
    )

    assert reply.text == "It is 12 degrees, rain in Oslo. It is 20 degrees, sun in Lima."


@check("tools.chain")
async def test_chain(ask: Asker) -> None:
    """One call's result is the next one's argument, and the last result is the answer."""
    question, tools = "What is the weather where Ana lives?", [FIND, WEATHER]
    find = await ask(question, tools=tools)
    found = result(find.call, "Oslo")
    weather = await ask(question, find, found, tools=tools)
    told = result(weather.call, "12 degrees, rain")

    reply = await ask(question, find, found, weather, told, tools=tools)

    assert find.call.arguments == {"person": "Ana"}
    assert weather.call.arguments == {"city": "Oslo"}
    assert reply.text == "It is 12 degrees, rain in Oslo."


@check("tools.result-empty")
async def test_result_empty(ask: Asker) -> None:
    """An empty result is a result."""
    call = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
    reply = await ask(QUESTION, assistant(calls=[call]), result(call, ""), tools=[WEATHER])

    assert reply.text == "The result is empty."


@check("tools.result-error")
async def test_result_error(ask: Asker) -> None:
    """A tool's failure reaches the model in the tool's words."""
    call = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
    failed = result(call, "Error: no signal")
    reply = await ask(QUESTION, assistant(calls=[call]), failed, tools=[WEATHER])

    assert reply.text == "The tool failed: no signal"


@check("tools.result-long")
async def test_result_long(ask: Asker) -> None:
    """Every word of a long result is there, in order."""
    call = ToolCall("call_1", "read-file", '{"path": "garden.txt"}')
    read = result(call, LONG)
    reply = await ask("Read garden.txt.", assistant(calls=[call]), read, tools=[READ, FILES])

    assert reply.text == f"The file says: {LONG}"


@check("tools.result-parts")
async def test_result_parts(ask: Asker) -> None:
    """Every part of a result is read, and results in parts are told apart."""
    one = await ask(
        QUESTION, assistant(calls=[OSLO]), result(OSLO, "12 degrees,", "rain"), tools=[WEATHER]
    )
    two = await ask(
        "What is the weather in Oslo and Lima?",
        assistant(calls=[OSLO, LIMA]),
        _in_a_part(OSLO, "12 degrees, rain"),
        _in_a_part(LIMA, "20 degrees, sun"),
        tools=[WEATHER],
    )

    # Servers put nothing, a space, or a line's end between parts.
    assert re.search(r"12 degrees,\s*rain", one.text), one.described
    assert two.text == "It is 12 degrees, rain in Oslo. It is 20 degrees, sun in Lima."


@check("tools.call-without-text")
async def test_call_without_text(ask: WireAsker) -> None:
    """A turn of calls alone may have no text: null, empty, or no such key."""
    for content in ({"content": None}, {"content": ""}, {}):
        reply = await ask(messages=_told(content, "12 degrees, rain"), tools=[WEATHER])

        assert reply.text == "It is 12 degrees, rain in Oslo."


@check("tools.broken-history")
async def test_broken_history(ask: WireAsker) -> None:
    """Arguments that an earlier model broke off are refused, or read, but break nothing."""
    broken = {**CALL, "function": {"name": "get_weather", "arguments": '{"city": "Os'}}
    answer = await ask.send(messages=_told({"content": ""}, "12 degrees, rain", broken))

    if answer.status == 200:
        assert answer.reply.text
    else:
        assert answer.refusal.message


def _in_a_part(call: ToolCall, text: str) -> Message:
    """The result as a list of one part."""
    return Message("tool", call=call, parts=(text,))


def _told(content: dict[str, Any], said: Any, call: dict[str, Any] = CALL) -> list[dict[str, Any]]:
    """A question, the call that it led to, and what the tool said, as the API writes them."""
    return [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "tool_calls": [call], **content},
        {"role": "tool", "tool_call_id": call["id"], "content": said},
    ]
