"""History: what sessions really hold, sent so that every server can read it."""

from typing import Any

from amplifier_core import Message
from amplifier_core.message_models import ChatResponse, TextBlock, ThinkingBlock

from conformance.bench import Bench
from conformance.canned import ANA
from conformance.check import check
from conformance.conversation import ToolCall, assistant, result, system
from conformance.provider import ProviderAsker
from conformance.stand_in import facing, refusing
from fixtures.tools import WEATHER

OSLO = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
LIMA = ToolCall("call_2", "get_weather", '{"city": "Lima"}')
REPAIRED = "provider:tool_sequence_repaired"


@check("history.missing-result")
async def test_missing_result(ask: ProviderAsker) -> None:
    """A call that never got its result is mended on every request, and told once."""
    question, call = "What is the weather in Oslo?", assistant(calls=[OSLO])
    first = await ask(question, call, "Repeat: tiger river", tools=[WEATHER])
    again = await ask(question, call, "Repeat: tiger river", tools=[WEATHER])

    assert first.text == again.text == "tiger river"
    assert [told["repair_count"] for told in ask.emitted(REPAIRED)] == [1]


@check("history.orphan-result")
async def test_orphan_result(ask: ProviderAsker) -> None:
    """A result whose call is gone, as after compaction, disturbs nothing."""
    reply = await ask(
        "My name is Ana.",
        result(OSLO, "12 degrees, rain"),
        assistant("Hello Ana."),
        "What is my name?",
    )

    assert reply.text == "Ana"


@check("history.results-any-order")
async def test_results_any_order(ask: ProviderAsker) -> None:
    """Results that came in another order than the calls still belong to their calls."""
    reply = await ask(
        "What is the weather in Oslo and Lima?",
        assistant(calls=[OSLO, LIMA]),
        result(LIMA, "20 degrees, sun"),
        result(OSLO, "12 degrees, rain"),
        tools=[WEATHER],
    )

    assert reply.text == "It is 12 degrees, rain in Oslo. It is 20 degrees, sun in Lima."


@check("history.late-system")
async def test_late_system(ask: ProviderAsker) -> None:
    """A system message in the middle, as hooks inject it, is read; no template refuses it."""
    reply = await ask(
        "My name is Ana.",
        assistant("Hello Ana."),
        system("The secret word is plum."),
        "What is the secret word?",
    )

    assert reply.text == "plum"


@check("history.calls-in-extra")
async def test_calls_in_extra(ask: ProviderAsker) -> None:
    """Calls that stand beside the content, as orchestrators write them, are calls."""
    written = {"id": "call_1", "tool": "get_weather", "arguments": {"city": "Oslo"}}
    called = Message(role="assistant", content="", tool_calls=[written])
    told = Message(role="tool", content="12 degrees, rain", tool_call_id="call_1")
    response = await _answer(ask, [_user("What is the weather in Oslo?"), called, told], WEATHER)

    assert _text(response) == "It is 12 degrees, rain in Oslo."


@check("history.other-protocol")
async def test_other_protocol(ask: ProviderAsker, bench: Bench) -> None:
    """A turn recorded by Responses goes on over Chat, and its secrets stay where they are."""
    thought = ThinkingBlock(thinking="I greet Ana.", content=["sealed-thought", "rs_123"])
    greeted = Message(
        role="assistant",
        content=[thought, TextBlock(text="Hello Ana.")],
        metadata={"openai:response_id": "resp_123", "openai:reasoning_items": ["rs_123"]},
    )
    mark = bench.tap.mark()
    messages = [_user("My name is Ana."), greeted, _user("What is my name?")]
    response = await _answer(ask, messages)

    sent = b"".join(chunk.data for one in bench.tap.since(mark) for chunk in one.chunks)
    assert _text(response) == "Ana"
    assert b"sealed-thought" not in sent
    assert b"rs_123" not in sent


@check("history.from-chat")
async def test_from_chat(ask: ProviderAsker) -> None:
    """A turn recorded by Chat goes on over Responses, which is not sent Chat's ids for its own."""
    first = await _answer(ask, [_user("My name is Ana.")])
    greeted = Message(role="assistant", content=first.content, metadata=first.metadata)
    messages = [_user("My name is Ana."), greeted, _user("What is my name?")]
    answers = refusing("/responses", ANA)
    async with facing(ask, answers, use_responses_api=True) as (other, stand):
        response = await _answer(other, messages)

    assert _text(response) == "Ana"
    assert b"Hello Ana." in stand.received[0]
    assert b"previous_response_id" not in stand.received[0]
    assert b"chatcmpl" not in stand.received[0]


async def _answer(ask: ProviderAsker, messages: list[Message], *tools: Any) -> ChatResponse:
    request = ask.request("", tools=tools)
    return await ask.complete(request.model_copy(update={"messages": messages}))


def _user(text: str) -> Message:
    return Message(role="user", content=text)


def _text(response: ChatResponse) -> str:
    return "".join(block.text for block in response.content if isinstance(block, TextBlock))
