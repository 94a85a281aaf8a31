"""The tiny model's tokens by their numbers: what `logit_bias` is made of."""

from __future__ import annotations

import json
from functools import cache

from conformance.outcome import Inconclusive
from fixtures.model.files import tiny_model

#: What the model ends with.
END_OF_TURN, END_OF_TEXT = "<|im_end|>", "<|endoftext|>"
#: How byte-level tokenizers write a space.
_SPACE = "Ġ"


def token_ids(word: str) -> list[int]:
    """The numbers of the tokens that are `word` alone, with a space before it and without.

    `Inconclusive` if it is no single token.
    """
    found = [_vocabulary()[form] for form in (word, _SPACE + word) if form in _vocabulary()]
    if not found:
        raise Inconclusive(f"{word!r} is not one token of the tiny model's")
    return found


def bias(words: dict[str, int]) -> dict[str, int]:
    """A `logit_bias` for words, each from -100 to 100."""
    return {str(token): value for word, value in words.items() for token in token_ids(word)}


@cache
def _vocabulary() -> dict[str, int]:
    tokenizer = json.loads((tiny_model().safetensors / "tokenizer.json").read_text())
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    return {**tokenizer["model"]["vocab"], **added}
