"""Tools: which are called, how often, and how a call comes."""

from amplifier_core import llm_errors

from conformance.ask import Asker
from conformance.check import check
from conformance.completion import CallFragment
from conformance.conversation import Message, result
from conformance.outcome import Inconclusive, NotAnswered, about_form
from conformance.reply import Reply
from conformance.wire import WireAsker
from fixtures.tools import ADD, FIND, TIME, WEATHER
from reports import Layer

QUESTION = "What is the weather in Oslo?"
BOTH = "What is the weather in Oslo and Lima?"
#: As many as a long conversation makes.
CALLS = 20
#: Tokens: from before the call of `QUESTION` has a name to behind its end.
LIMITS = range(4, 64, 2)


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
    """No two calls of a long conversation have one id."""
    question = "What is the weather where Ana lives?"
    first = await ask(question, tools=[FIND, WEATHER])
    found = result(first.call, "Oslo")

    second = await ask(question, first, found, tools=[FIND, WEATHER])

    assert first.call.name == "find_city"
    assert second.call.name == "get_weather"
    assert first.call.id != second.call.id
    ids = [first.call.id, second.call.id]
    earlier: list[str | Message | Reply] = []
    while len(ids) < CALLS:
        turn = await ask(*earlier, BOTH, tools=[WEATHER])
        assert turn.tool_calls, turn.described
        ids += [call.id for call in turn.tool_calls]
        # An agent compacts: of a long conversation only the last turn is sent.
        earlier = [BOTH, turn, *(result(call, "12 degrees, rain") for call in turn.tool_calls)]
    assert len(set(ids)) == len(ids), f"{len(ids)} calls have {len(set(ids))} ids"


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
        with about_form():
            assert first.id
            assert first.type == "function"
            assert first.function.name
            assert not [piece for piece in later if piece.id or piece.function.name is not None]
        assert first.function.name == "get_weather"


@check("tools.cut-call")
async def test_cut_call(ask: Asker) -> None:
    """Wherever a limit cuts a call, the answer says so, and what came of it is not to be run."""
    free = await ask.whole(QUESTION, tools=[WEATHER])
    if not free.tool_calls:
        raise Inconclusive(f"nothing to cut: the free model answered {free.described}")

    cut = await _cut(ask, free)

    answered = [one for one in cut if one]
    with about_form():
        assert cut, "no limit cut anything"
        assert {one.finish_reason for one in answered} <= {"length"}, answered[-1].described
        if ask.layer is Layer.PROVIDER:
            assert not [one.described for one in answered if one.tool_calls]


async def _cut(ask: Asker, free: Reply) -> list[Reply | None]:
    """What comes under growing limits, until the whole call fits: the last was cut inside it."""
    cut: list[Reply | None] = []
    for limit in LIMITS:
        reply = await _limited(ask, limit)
        if reply and _same_calls(reply, free):
            return cut
        cut.append(reply)
    raise Inconclusive(f"no limit below {LIMITS.stop} let the whole call through")


async def _limited(ask: Asker, limit: int) -> Reply | None:
    """The answer, or None where the module says that it won't hand on half a call."""
    try:
        return await ask(QUESTION, tools=[WEATHER], max_tokens=limit)
    except NotAnswered as error:
        if isinstance(error.__cause__, llm_errors.InvalidToolCallError):
            return None
        raise


def _same_calls(reply: Reply, other: Reply) -> bool:
    """Whether they call the same with the same arguments; half a JSON text is none."""
    try:
        calls, others = ([(c.name, c.arguments) for c in r.tool_calls] for r in (reply, other))
    except AssertionError:
        return False
    return calls == others
