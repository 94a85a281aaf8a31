"""Whose fault an answer is that ends before its limit, or beyond it."""

from __future__ import annotations

import json

import pytest

from conformance.limited import FORTY, ensure_cut
from conformance.outcome import Malformed
from tests.conformance.wire_answers import answering_in_turn


def counting(text: str, tokens: int | None, reason: str) -> tuple[int, bytes]:
    """An answer of so many tokens that ends for this reason."""
    choice = {
        "index": 0,
        "finish_reason": reason,
        "message": {"role": "assistant", "content": text},
    }
    told = {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": 9 + (tokens or 0)}
    body = {"id": "a", "object": "chat.completion", "model": "tiny", "choices": [choice]}
    return 200, json.dumps(body | ({"usage": told} if tokens else {})).encode()


async def test_answer_that_the_limit_cuts() -> None:
    async with answering_in_turn(counting("1 2 3", 8, "length")) as ask:
        await ensure_cut(ask, await ask(FORTY, max_tokens=8), 8)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([counting("1 2 3", None, "length")], "no usage"),
        ([counting("1 2 3", 7, "length")], "after 7 tokens, not 8"),
        ([counting("1 2 3 4", 9, "stop")], "9 tokens, where 8"),
        ([counting("1 2 3", 8, "stop"), counting("1 2 3 4 5 6", 16, "stop")], "it goes on"),
    ],
    ids=["no usage", "too few", "too many", "a cut that is told to be an end"],
)
async def test_fault_is_the_servers_whatever_the_model(
    answers: list[tuple[int, bytes]], said: str
) -> None:
    async with answering_in_turn(*answers) as ask:
        with pytest.raises(Malformed, match=said):
            await ensure_cut(ask, await ask(FORTY, max_tokens=8), 8)


@pytest.mark.parametrize("again", ["I can't.", "I won't count to that."])
async def test_end_before_the_limit_may_be_the_models_own(again: str) -> None:
    answers = [counting(text, 4, "stop") for text in ("I can't.", again)]
    async with answering_in_turn(*answers) as ask:
        with pytest.raises(AssertionError, match="4 of 8 tokens") as raised:
            await ensure_cut(ask, await ask(FORTY, max_tokens=8), 8)

    assert not isinstance(raised.value, Malformed)
