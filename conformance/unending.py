"""Answers that only the limit ends: past its own end the model is sure of no token."""

from __future__ import annotations

from typing import Any

from conformance.ask import Asker
from conformance.outcome import Inconclusive, NotAnswered
from conformance.reply import Reply
from conformance.vocabulary import END_OF_TEXT, END_OF_TURN, bias

#: One word is the whole answer, unless its end is banned.
WORD = "Repeat: tiger"
#: Many times as many as the answer has.
TOKENS = 24


def no_end() -> dict[str, Any]:
    """The field that bans each token with which the model ends."""
    return {"logit_bias": bias({END_OF_TURN: -100, END_OF_TEXT: -100})}


async def unending(ask: Asker) -> Reply:
    """The greedy answer of one word, and what follows where the end is banned.

    `Inconclusive` where the ban has no effect: servers may do without `logit_bias`, and then
    nothing that rests on it says anything about them.
    """
    try:
        reply = await ask(WORD, max_tokens=TOKENS, **no_end())
    except NotAnswered as error:
        raise Inconclusive(f"the end can't be banned: {error}") from error
    if reply.finish_reason != "length":
        raise Inconclusive(f"the end is banned, and comes all the same: {reply.described}")
    return reply
