"""Tools: calls, choices, and results."""

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import result
from conformance.outcome import Inconclusive
from fixtures.tools import ADD, TIME, WEATHER


@check("tools.single-call")
async def test_single_call(ask: Asker) -> None:
    """Two integers in the question are two integers in the call."""
    reply = await ask("Add 17 and 25.", tools=[ADD])

    assert reply.call.name == "add"
    assert reply.call.arguments == {"a": 17, "b": 25}
    assert reply.call.id
    assert reply.finish_reason == "tool_calls"


@check("tools.right-tool")
async def test_right_tool(ask: Asker) -> None:
    """The time is asked of the clock, not of the weather or of arithmetic."""
    reply = await ask("What time is it in Lima?", tools=[WEATHER, ADD, TIME])

    assert reply.call.name == "get_time"
    assert reply.call.arguments == {"city": "Lima"}


@check("tools.choice-none")
async def test_choice_none(ask: Asker) -> None:
    """A question that gets a call when the model is free gets words when calls are forbidden."""
    free = await ask("What is the weather in Oslo?", tools=[WEATHER])
    if not free.tool_calls:
        raise Inconclusive(f"nothing to forbid: the free model answered {free.described}")

    bound = await ask("What is the weather in Oslo?", tools=[WEATHER], tool_choice="none")

    assert not bound.tool_calls, bound.described
    assert bound.text
    assert bound.finish_reason == "stop"


@check("tools.result-used")
async def test_result_used(ask: Asker) -> None:
    """What the tool said is in the answer, and no further call is made."""
    question = "What is the weather in Oslo?"
    first = await ask(question, tools=[WEATHER])

    reply = await ask(question, first, result(first.call, "12 degrees, rain"), tools=[WEATHER])

    assert "12 degrees, rain" in reply.text
    assert not reply.tool_calls, reply.described
    assert reply.finish_reason == "stop"


@check("tools.streamed-call")
async def test_streamed_call(ask: Asker) -> None:
    """The pieces of a call make the call that comes without streaming."""
    streamed = await ask("What is the weather in Oslo?", tools=[WEATHER, TIME])
    whole = await ask.whole("What is the weather in Oslo?", tools=[WEATHER, TIME])

    assert streamed.call.name == whole.call.name
    assert streamed.call.arguments == whole.call.arguments == {"city": "Oslo"}
    assert streamed.call.id
    assert streamed.finish_reason == whole.finish_reason == "tool_calls"
