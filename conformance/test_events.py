"""Events: what the module tells the session while it works."""

import re

from conformance.bench import Bench
from conformance.check import check
from conformance.outcome import NotSetUp, about_form
from conformance.provider import ProviderAsker
from fixtures.tools import WEATHER
from reports import Exchange

#: Where thoughts are in answers of Chat Completions and of Responses.
THOUGHT = re.compile(r'"reasoning(?:_content)?": ?"[^"]|</?think>|response\.reasoning')
#: What has come when a hook is done may be told at once; a busy machine makes that all of it.
TRIES = 3


@check("events.order")
async def test_order(ask: ProviderAsker) -> None:
    """One request, one response, and everything else between them."""
    await ask("Repeat: tiger river lamp")

    names = [name for _, name, _ in ask.events if name.startswith(("llm:", "provider:"))]
    with about_form():
        assert names[:1] == ["llm:request"]
        assert names[-1:] == ["llm:response"]
        assert names.count("llm:request") == names.count("llm:response") == 1


@check("events.usage")
async def test_usage(ask: ProviderAsker) -> None:
    """The response event counts what the answer counts, under the kernel's names."""
    reply = await ask("Repeat: tiger river lamp")

    with about_form():
        responses = ask.emitted("llm:response")
        assert responses, "no llm:response"
        told = responses[-1]
        usage = told.get("usage") or {}
        assert reply.usage is not None
        assert told.get("status") == "ok"
        assert usage.get("input_tokens") == reply.usage.prompt_tokens
        assert usage.get("output_tokens") == reply.usage.completion_tokens
        assert isinstance(told.get("duration_ms"), int)


@check("events.blocks")
async def test_blocks(ask: ProviderAsker) -> None:
    """A block of text starts, grows piece by numbered piece, and ends."""
    for _ in range(TRIES):
        ask.events.clear()
        reply = await ask("Count to 40.")
        deltas = ask.emitted("llm:stream_block_delta")
        if len(deltas) > 1:
            break

    assert len(deltas) > 1, f"in {TRIES} tries no answer came in more pieces than one"
    blocks = [(name, told) for _, name, told in ask.events if name.startswith("llm:stream_")]
    names = [name.removeprefix("llm:stream_block_") for name, _ in blocks]
    text = [delta["text"] for delta in deltas if delta["block_type"] == "text"]
    with about_form():
        assert len({told["request_id"] for _, told in blocks}) == 1
        assert all(delta["text"] for delta in deltas)
        assert "".join(text) == reply.text
    # Others think first, unasked.
    assert {told["block_type"] for _, told in blocks} == {"text"}
    assert names == ["start", *["delta"] * len(deltas), "end"]
    assert [delta["sequence"] for delta in deltas] == list(range(len(deltas)))


@check("events.tool-blocks")
async def test_tool_blocks(ask: ProviderAsker) -> None:
    """Each call is a block with its tool's name, which starts and ends and never grows."""
    await ask("What is the weather in Oslo and Lima?", tools=[WEATHER])

    starts, ends = ask.emitted("llm:stream_block_start"), ask.emitted("llm:stream_block_end")
    deltas = ask.emitted("llm:stream_block_delta")
    calls = [start for start in starts if start["block_type"] == "tool_use"]
    grown = {delta["block_index"] for delta in deltas}
    with about_form():
        assert [end["block_index"] for end in ends] == list(range(len(starts)))
        assert {delta["block_type"] for delta in deltas} <= {"text", "thinking"}
        assert not grown & {call["block_index"] for call in calls}
    assert [call.get("name") for call in calls] == ["get_weather", "get_weather"]


@check("events.thought-block")
async def test_thought_block(ask: ProviderAsker, bench: Bench) -> None:
    """A thought is a block of its own, before the text."""
    began = bench.moment()
    await ask(
        "Think first. Repeat: tiger river lamp", chat_template_kwargs={"enable_thinking": True}
    )
    if not any(_tells_thoughts(exchange) for exchange in bench.exchanges(began)):
        raise NotSetUp("the server told no thought: its parser may be off")

    starts = ask.emitted("llm:stream_block_start")
    with about_form():
        assert [start["block_index"] for start in starts] == list(range(len(starts)))
    assert [start["block_type"] for start in starts] == ["thinking", "text"]


def _tells_thoughts(exchange: Exchange) -> bool:
    """Whether the server's answer has a thought in any of the places that servers have for one."""
    return bool(THOUGHT.search(exchange.response_body.text))


@check("events.whole-silent")
async def test_whole_silent(ask: ProviderAsker) -> None:
    """A request that wants no stream gets no events of one."""
    await ask("Repeat: tiger river lamp")

    names = [name for _, name, _ in ask.events]
    with about_form():
        assert "llm:response" in names
        assert not [name for name in names if name.startswith("llm:stream_")]
