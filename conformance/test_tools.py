"""Tools: which are called, how often, and how a call comes."""

from conformance.ask import Asker
from conformance.check import check
from conformance.completion import CallFragment
from conformance.conversation import result
from conformance.outcome import Inconclusive
from conformance.wire import WireAsker
from fixtures.tools import ADD, FIND, TIME, WEATHER


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


@check("tools.parallel-calls")
async def test_parallel_calls(ask: Asker) -> None:
    """Two cities in one question give two calls, each with its own id."""
    reply = await ask("What is the weather in Oslo and Lima?", tools=[WEATHER])

    assert [call.name for call in reply.tool_calls] == ["get_weather", "get_weather"]
    assert [call.arguments for call in reply.tool_calls] == [{"city": "Oslo"}, {"city": "Lima"}]
    assert len({call.id for call in reply.tool_calls}) == 2


@check("tools.mixed-calls")
async def test_mixed_calls(ask: Asker) -> None:
    """One question asks two tools for one thing each."""
    question = "What is the weather in Oslo and the time in Lima?"
    reply = await ask(question, tools=[TIME, WEATHER])

    calls = {call.name: call.arguments for call in reply.tool_calls}
    assert calls == {"get_weather": {"city": "Oslo"}, "get_time": {"city": "Lima"}}


@check("tools.parallel-off")
async def test_parallel_off(ask: Asker) -> None:
    """A question that gets two calls when the model is free gets one when one is allowed."""
    question = "What is the weather in Oslo and Lima?"
    free = await ask(question, tools=[WEATHER])
    if len(free.tool_calls) < 2:
        raise Inconclusive(f"nothing to hold back: the free model answered {free.described}")

    bound = await ask(question, tools=[WEATHER], parallel_tool_calls=False)

    assert bound.call.name == "get_weather"
    assert bound.call.arguments == {"city": "Oslo"}


@check("tools.fresh-ids")
async def test_fresh_ids(ask: Asker) -> None:
    """The call of a second turn has another id than that of the first."""
    question = "What is the weather where Ana lives?"
    first = await ask(question, tools=[FIND, WEATHER])
    found = result(first.call, "Oslo")

    second = await ask(question, first, found, tools=[FIND, WEATHER])

    assert first.call.name == "find_city"
    assert second.call.name == "get_weather"
    assert first.call.id != second.call.id


@check("tools.streamed-call")
async def test_streamed_call(ask: Asker) -> None:
    """The pieces of a call make the call that comes without streaming."""
    streamed = await ask("What is the weather in Oslo?", tools=[WEATHER, TIME])
    whole = await ask.whole("What is the weather in Oslo?", tools=[WEATHER, TIME])

    assert streamed.call.name == whole.call.name
    assert streamed.call.arguments == whole.call.arguments == {"city": "Oslo"}
    assert streamed.call.id
    assert streamed.finish_reason == whole.finish_reason == "tool_calls"


@check("tools.fragments")
async def test_fragments(ask: WireAsker) -> None:
    """Id, type and name stand in the first piece of each call; later ones bring arguments."""
    answer = await ask.send(
        "What is the weather in Oslo and Lima?", tools=[{"type": "function", "function": WEATHER}]
    )

    calls: dict[int, list[CallFragment]] = {}
    for piece in [piece for delta in answer.deltas for piece in delta.tool_calls or ()]:
        calls.setdefault(piece.index, []).append(piece)
    assert sorted(calls) == [0, 1]
    for first, *later in calls.values():
        assert first.id
        assert first.type == "function"
        assert first.function.name == "get_weather"
        assert not [piece for piece in later if piece.id or piece.function.name is not None]


@check("tools.cut-call")
async def test_cut_call(ask: WireAsker) -> None:
    """A call that doesn't fit into eight tokens is cut, and is not told to be a call."""
    cut = await ask("What is the weather in Oslo?", tools=[WEATHER], max_tokens=8)
    whole = await ask.whole("What is the weather in Oslo?", tools=[WEATHER], max_tokens=8)

    assert cut.finish_reason == whole.finish_reason == "length"
    assert [call.text for call in cut.tool_calls] == [call.text for call in whole.tool_calls]
