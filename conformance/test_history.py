"""History: what sessions really hold, sent so that every server can read it."""

from typing import Any

from amplifier_core import Message
from amplifier_core.message_models import ChatResponse, TextBlock, ThinkingBlock, ToolCallBlock

from conformance.canned import ANA
from conformance.check import check
from conformance.conversation import ToolCall, assistant, result, system
from conformance.outcome import about_form
from conformance.provider import ProviderAsker, text_of
from conformance.stand_in import always, facing, refusing
from fixtures.tools import WEATHER

OSLO = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
LIMA = ToolCall("call_2", "get_weather", '{"city": "Lima"}')
RAIN = Message(role="tool", content="12 degrees, rain", tool_call_id="call_1")
REPAIRED = "provider:tool_sequence_repaired"
#: What the module keeps with a turn that came by Responses, and no other server may see.
BY_RESPONSES = {"openai:response_id": "resp_123", "openai:reasoning_items": ["rs_123"]}
SECRETS = [b"sealed-thought", b"resp_123", b"rs_123"]


@check("history.missing-result")
async def test_missing_result(ask: ProviderAsker) -> None:
    """A call that never got its result is mended on every request, and told once."""
    question, call = "What is the weather in Oslo?", assistant(calls=[OSLO])
    async with facing(ask, always(None)) as (other, stand):
        first = await other(question, call, "Repeat: tiger river", tools=[WEATHER])
        again = await other(question, call, "Repeat: tiger river", tools=[WEATHER])

    with about_form():
        for sent in stand.sent:
            assert calls_in(sent) == ["call_1"]
            assert results_in(sent) == ["call_1"]
        assert [told["repair_count"] for told in other.emitted(REPAIRED)] == [1]
    assert first.text == again.text == "tiger river"


@check("history.orphan-result")
async def test_orphan_result(ask: ProviderAsker) -> None:
    """A result whose call is gone, as after compaction, disturbs nothing."""
    async with facing(ask, always(None)) as (other, stand):
        reply = await other(
            "My name is Ana.",
            result(OSLO, "12 degrees, rain"),
            assistant("Hello Ana."),
            "What is my name?",
        )

    with about_form():
        assert results_in(stand.sent[0]) == []
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
    async with facing(ask, always(None)) as (other, stand):
        reply = await other(
            "My name is Ana.",
            assistant("Hello Ana."),
            system("The secret word is plum."),
            "What is the secret word?",
        )

    roles = [turn.get("role") for turn in turns_in(stand.sent[0])]
    with about_form():
        assert [at for at, role in enumerate(roles) if role in {"system", "developer"}] in ([], [0])
    assert reply.text == "plum"


@check("history.calls-in-extra")
async def test_calls_in_extra(ask: ProviderAsker) -> None:
    """Calls that stand beside the content, as orchestrators write them, are calls."""
    written = {"id": "call_1", "tool": "get_weather", "arguments": {"city": "Oslo"}}
    called = Message(role="assistant", content="", tool_calls=[written])
    told = Message(role="tool", content="12 degrees, rain", tool_call_id="call_1")
    response = await _answer(ask, [_user("What is the weather in Oslo?"), called, told], WEATHER)

    assert text_of(response) == "It is 12 degrees, rain in Oslo."


@check("history.other-protocol")
async def test_other_protocol(ask: ProviderAsker) -> None:
    """A turn recorded by Responses goes on over Chat, and its secrets stay where they are."""
    thought = ThinkingBlock(thinking="I greet Ana.", content=["sealed-thought", "rs_123"])
    call = ToolCallBlock(id="call_1", name="get_weather", input={"city": "Oslo"})
    greeted = Message(
        role="assistant", content=[thought, TextBlock(text="Hello Ana.")], metadata=BY_RESPONSES
    )
    called = Message(role="assistant", content=[thought, call], metadata=BY_RESPONSES)
    named = [_user("My name is Ana."), greeted, _user("What is my name?")]
    told = [_user("What is the weather in Oslo?"), called, RAIN]
    async with facing(ask, always(None), use_responses_api=False) as (other, stand):
        answers = [await _answer(other, named), await _answer(other, told, WEATHER)]

    with about_form():
        for sent in stand.received:
            assert [secret for secret in SECRETS if secret in sent] == []
        assert calls_in(stand.sent[1]) == results_in(stand.sent[1]) == ["call_1"]
    assert [text_of(answer) for answer in answers] == ["Ana", "It is 12 degrees, rain in Oslo."]


@check("history.from-chat")
async def test_from_chat(ask: ProviderAsker) -> None:
    """A turn recorded by Chat goes on over Responses, which is not sent Chat's ids for its own."""
    async with ask.configured(use_responses_api=False) as chat:
        first = await _answer(chat, [_user("My name is Ana.")])
        second = await _answer(chat, [_user("What is the weather in Oslo?")], WEATHER)
        call = chat.call(second)
    rain = RAIN.model_copy(update={"tool_call_id": call.id})
    named = [_user("My name is Ana."), _said(first), _user("What is my name?")]
    told = [_user("What is the weather in Oslo?"), _said(second), rain]
    answers = refusing("/responses", ANA)
    async with facing(ask, answers, use_responses_api=True) as (other, stand):
        response = await _answer(other, named)
        await _answer(other, told, WEATHER)

    with about_form():
        for sent in stand.received:
            assert b"previous_response_id" not in sent
            alien = sent.replace(call.id.encode(), b"")  # vLLM's calls begin so too
            assert b"chatcmpl" not in alien
        assert calls_in(stand.sent[1]) == results_in(stand.sent[1]) == [call.id]
    assert text_of(response) == "Ana"
    assert b"Hello Ana." in stand.received[0]


def turns_in(sent: dict[str, Any]) -> list[dict[str, Any]]:
    """What a request holds of the conversation, in either protocol."""
    turns: list[dict[str, Any]] = sent["messages"] if "messages" in sent else sent["input"]
    return turns


def calls_in(sent: dict[str, Any]) -> list[str]:
    """The ids of the calls in a request."""
    turns = turns_in(sent)
    by_chat = [call["id"] for turn in turns for call in turn.get("tool_calls") or ()]
    return by_chat + [turn["call_id"] for turn in turns if turn.get("type") == "function_call"]


def results_in(sent: dict[str, Any]) -> list[str]:
    """The ids of the calls that a request has results for."""
    turns = turns_in(sent)
    by_chat = [turn["tool_call_id"] for turn in turns if turn.get("role") == "tool"]
    items = [turn for turn in turns if turn.get("type") == "function_call_output"]
    return by_chat + [item["call_id"] for item in items]


async def _answer(ask: ProviderAsker, messages: list[Message], *tools: Any) -> ChatResponse:
    request = ask.request("", tools=tools)
    return await ask.complete(request.model_copy(update={"messages": messages}))


def _said(response: ChatResponse) -> Message:
    return Message(role="assistant", content=response.content, metadata=response.metadata)


def _user(text: str) -> Message:
    return Message(role="user", content=text)
