"""Tool choice: what a request says about calls is what happens."""

import json

from amplifier_core.message_models import TextBlock

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import DEFAULT_MAX_TOKENS, forced
from conformance.outcome import Inconclusive
from conformance.provider import ProviderAsker
from conformance.stand_in import facing, in_turn
from conformance.wire import WireAsker
from fixtures.tools import ADD, TIME, WEATHER

OFFERED = [{"type": "function", "function": tool} for tool in (WEATHER, ADD, TIME)]

#: A light that the model, left alone, would not name where it is asked for a red one.
GREEN = {
    "type": "object",
    "properties": {"light": {"type": "string", "enum": ["green"]}},
    "required": ["light"],
    "additionalProperties": False,
}


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


@check("tools.choice-auto")
async def test_choice_auto(ask: Asker) -> None:
    """A prompt that needs no tool gets words, though tools are offered."""
    reply = await ask("Repeat: tiger river lamp", tools=[WEATHER, TIME], tool_choice="auto")

    assert not reply.tool_calls, reply.described
    assert reply.text == "tiger river lamp"
    assert reply.finish_reason == "stop"


@check("tools.choice-required")
async def test_choice_required(ask: Asker) -> None:
    """A prompt that needs no tool gets a call all the same."""
    reply = await ask(
        "Repeat: tiger river lamp",
        tools=[WEATHER, TIME],
        tool_choice="required",
        # Text that runs on to the limit is a failure, and no cut answer.
        max_tokens=DEFAULT_MAX_TOKENS,
    )

    assert reply.tool_calls, reply.described
    assert isinstance(reply.tool_calls[0].arguments, dict)


@check("tools.choice-named")
async def test_choice_named(ask: Asker) -> None:
    """The tool that was named is called, not the one that the prompt suggests."""
    reply = await ask(
        "What is the weather in Oslo?", tools=[WEATHER, ADD, TIME], tool_choice="get_time"
    )

    assert reply.call.name == "get_time"
    assert isinstance(reply.call.arguments, dict)


@check("tools.choice-unknown")
async def test_choice_unknown(ask: WireAsker) -> None:
    """Naming a tool that was not offered is the client's mistake, and it is told so."""
    answer = await ask.send("Repeat: tiger", tools=OFFERED, tool_choice=forced("get_tide"))

    assert answer.refusal.message


@check("tools.empty-list")
async def test_empty_list(ask: WireAsker) -> None:
    """An empty list offers nothing, which is no reason for an error."""
    reply = (await ask.send("Repeat: tiger river", tools=[])).if_supported

    assert reply.text == "tiger river"
    assert not reply.tool_calls, reply.described


@check("tools.none-offered")
async def test_none_offered(ask: ProviderAsker) -> None:
    """An application's empty list is not sent: vLLM refuses it."""
    async with facing(ask, in_turn()) as (other, stand):
        request = other.request("Repeat: tiger river").model_copy(update={"tools": []})
        response = await other.complete(request)

    assert len(stand.received) == 1, f"{len(stand.received)} requests"
    assert "tools" not in json.loads(stand.received[0])
    assert [b.text for b in response.content if isinstance(b, TextBlock)] == ["tiger river"]


@check("tools.with-schema")
async def test_with_schema(ask: Asker) -> None:
    """The form of the answer is held although tools are offered beside it."""
    reply = await ask("Give me a light: red.", tools=[WEATHER], schema=GREEN)

    assert not reply.tool_calls, reply.described
    assert reply.json == {"light": "green"}
