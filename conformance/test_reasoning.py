"""Reasoning: thoughts are kept apart from the answer, and can be turned off."""

from typing import Any

from conformance.ask import Asker
from conformance.check import check
from conformance.completion import Delta, DetailedUsage
from conformance.conversation import result
from conformance.outcome import Inconclusive
from conformance.reply import Reply
from conformance.wire import WireAsker
from fixtures.tools import ADD

THINK: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": True}}
QUESTION = "Think first. Repeat: tiger river lamp"
THOUGHT = "I repeat the text."


async def _thinking(ask: Asker, **fields: Any) -> Reply:
    reply = await ask(QUESTION, **fields)
    if THOUGHT not in reply.reasoning + reply.text:
        raise Inconclusive(f"the model did not think: {reply.described}")
    return reply


@check("reasoning.apart")
async def test_apart(ask: Asker) -> None:
    """The thought is in its own field, the answer in the text, and neither in both."""
    reply = await _thinking(ask, **THINK)

    assert reply.reasoning.strip() == THOUGHT
    assert reply.text.strip() == "tiger river lamp"
    assert reply.finish_reason == "stop"


@check("reasoning.first")
async def test_first(ask: WireAsker) -> None:
    """The stream brings all of the thought before the first of the answer."""
    answer = await ask.send(QUESTION, **THINK)
    answer.ensure_answered()
    deltas = answer.deltas

    kinds = [kind for delta in deltas for kind in _kinds(delta)]
    assert "thought" in kinds, kinds
    assert "text" in kinds, kinds
    assert kinds == sorted(kinds, key=["thought", "text"].index)


def _kinds(delta: Delta) -> list[str]:
    return ["thought"] * bool(delta.thought) + ["text"] * bool((delta.content or "").strip())


@check("reasoning.then-call")
async def test_then_call(ask: Asker) -> None:
    """A thought before a tool call is a thought, and the call is a call."""
    reply = await ask("Think first. Add 17 and 25.", tools=[ADD], **THINK)

    assert reply.reasoning.strip() == "I need add for 17 and 25."
    assert reply.call.arguments == {"a": 17, "b": 25}
    assert not reply.text.strip()


@check("reasoning.result-used")
async def test_result_used(ask: Asker) -> None:
    """After a call that was thought about, the result leads to the answer, without a thought."""
    question = "Think first. Add 17 and 25."
    first = await ask(question, tools=[ADD], **THINK)
    if not first.reasoning.strip():
        raise Inconclusive(f"the model did not think: {first.described}")

    reply = await ask(question, first, result(first.call, "42"), tools=[ADD])

    assert reply.text.strip() == "The result is 42."


@check("reasoning.replayed")
async def test_replayed(ask: WireAsker) -> None:
    """A thought sent back with its call stands in the prompt, and the answer is the same."""
    question = "Think first. Add 17 and 25."
    first = await ask(question, tools=[ADD], **THINK)
    thought = first.reasoning.strip()
    if not thought:
        raise Inconclusive(f"the model did not think: {first.described}")
    called = ask.body(first)["messages"][0]
    told = ask.body(result(first.call, "42"))["messages"][0]
    tools = [{"type": "function", "function": ADD}]

    thoughts: list[dict[str, str]] = [{}, {"reasoning_content": thought, "reasoning": thought}]
    without, replayed = [
        await ask.send(messages=[_user(question), called | one, told], tools=tools)
        for one in thoughts
    ]

    assert replayed.reply.text.strip() == without.reply.text.strip() == "The result is 42."
    assert replayed.reply.usage is not None
    assert without.reply.usage is not None
    assert replayed.reply.usage.prompt_tokens > without.reply.usage.prompt_tokens


@check("reasoning.off")
async def test_off(ask: Asker) -> None:
    """The template's switch turns thinking off, where the prompt asks for it."""
    await _thinking(ask, **THINK)
    reply = await ask(QUESTION, chat_template_kwargs={"enable_thinking": False})

    assert not reply.reasoning.strip()
    assert reply.text.strip() == "tiger river lamp"


@check("reasoning.effort-none")
async def test_effort_none(ask: WireAsker) -> None:
    """No effort, no thought, where the same question without that word is thought about."""
    await _thinking(ask)
    reply = (await ask.send(QUESTION, reasoning_effort="none")).if_supported

    assert not reply.reasoning.strip()
    assert reply.text.strip() == "tiger river lamp"


@check("reasoning.effort-unknown")
async def test_effort_unknown(ask: WireAsker) -> None:
    """An effort that nobody knows is refused or passed over; it is no fault of the server's."""
    answer = await ask.send("Repeat: tiger river", reasoning_effort="colossal")

    if answer.status == 200:
        assert answer.reply.text == "tiger river"
    else:
        assert answer.refusal.message


@check("reasoning.history")
async def test_history(ask: WireAsker) -> None:
    """A thought that is sent back, under either name, does not disturb the next answer."""
    for field in ("reasoning_content", "reasoning"):
        earlier = {"role": "assistant", "content": "Hello Ana.", field: "I greet Ana."}
        messages = [_user("My name is Ana."), earlier, _user("What is my name?")]
        reply = await ask(messages=messages)

        assert reply.text == "Ana"


@check("reasoning.tokens")
async def test_tokens(ask: WireAsker) -> None:
    """Of the counted tokens some were thought, and fewer than all."""
    answer = await ask.send(QUESTION, **THINK)
    answer.ensure_answered()

    usage = DetailedUsage.of(answer.json.get("usage"))
    assert usage.thought, usage
    assert usage.thought < usage.completion_tokens


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
