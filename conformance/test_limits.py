"""Limits: where an answer ends before the model would end it."""

from typing import Any

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import OMITTED
from conformance.limited import FORTY, ensure_cut
from conformance.outcome import Inconclusive, NotSetUp
from conformance.unending import no_end
from conformance.wire import WireAsker

#: Tokens of the context that are left for an answer, and how many may stay unused.
LEFT, UNUSED = 48, 8
NOTHING: list[str | list[str]] = [[], "", [""]]


@check("limits.max-completion-tokens")
async def test_max_completion_tokens(ask: WireAsker) -> None:
    """Forty numbers don't fit into eight tokens, by the newer name either."""
    answer = await ask.send(FORTY, max_tokens=OMITTED, max_completion_tokens=8)

    await ensure_cut(ask, answer.reply, 8)


@check("limits.both")
async def test_both(ask: Asker) -> None:
    """The newer name is what counts, be it the smaller one or the larger."""
    for older, newer in ((100, 8), (8, 24)):
        reply = await ask(FORTY, max_tokens=older, max_completion_tokens=newer)

        await ensure_cut(ask, reply, newer)


@check("limits.out-of-bounds")
async def test_out_of_bounds(ask: WireAsker) -> None:
    """None, fewer than none and far too many tokens are refused, or do no harm."""
    for limit in (0, -1, 10**9):
        answer = await ask.send("Repeat: tiger", max_tokens=limit)
        answer.ensure_sound()


@check("limits.stop-string")
async def test_stop_string(ask: WireAsker) -> None:
    """One stop string needs no list around it."""
    reply = (await ask.send("Count to 9.", stop=" 7")).reply

    assert reply.text == "1 2 3 4 5 6"
    assert reply.finish_reason == "stop"


@check("limits.stop-first")
async def test_stop_first(ask: Asker) -> None:
    """Of several stop strings the one that comes first in the text ends it."""
    reply = await ask("Count to 9.", stop=[" 8", " 5", "tiger"])

    assert reply.text == "1 2 3 4"
    assert reply.finish_reason == "stop"


@check("limits.stop-inside")
async def test_stop_inside(ask: Asker) -> None:
    """A stop string in the middle of a token ends the answer there."""
    reply = await ask("Repeat: tiger river", stop=["ge"])

    assert reply.text == "ti"
    assert reply.finish_reason == "stop"


@check("limits.stop-five")
async def test_stop_five(ask: WireAsker) -> None:
    """One stop string more than the API allows is refused, or heeded like the others."""
    answer = await ask.send("Count to 9.", stop=["a", "b", "c", "d", " 7"])

    if answer.status == 200:
        assert answer.reply.text == "1 2 3 4 5 6"
    else:
        assert answer.refusal.message


@check("limits.stop-nothing")
async def test_stop_nothing(ask: WireAsker) -> None:
    """No stop string, or one without a letter, stops nothing."""
    for stop in NOTHING:
        answer = await ask.send("Count to 9.", stop=stop)
        if answer.status == 200:
            assert answer.reply.text == "1 2 3 4 5 6 7 8 9"
        else:
            assert answer.refusal.message


@check("limits.context-full")
async def test_context_full(ask: WireAsker) -> None:
    """Where the prompt all but fills the context, the end of the context is told as a cut."""
    context = await _context(ask)
    few, more = [(await _rivers(ask, words, max_tokens=1))[1] for words in (100, 200)]
    assert more > few, f"twice the words cost {more} tokens, and not more than {few}"
    words = 100 + (context - LEFT - few) * 100 // (more - few)

    reason, tokens = await _rivers(ask, words, max_tokens=OMITTED, **no_end())

    if tokens < context - UNUSED:
        raise Inconclusive(f"the model ended after {tokens} of {context} tokens")
    assert reason == "length"
    assert tokens <= context


async def _context(ask: WireAsker) -> int:
    models = await ask.listed()
    context = next((model.context for model in models if model.id == ask.model), None)
    if context is None:
        raise NotSetUp("the server does not tell its context window")
    return context


async def _rivers(ask: WireAsker, words: int, **fields: Any) -> tuple[str | None, int]:
    """The finish reason and all tokens of an answer to so many words."""
    reply = (await ask.send(" ".join(["river"] * words), **fields)).reply
    assert reply.usage is not None
    return reply.finish_reason, reply.usage.total_tokens
