"""Tags of thoughts that the text only spells (contract §3.3)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplifier_module_provider_openai.chat_answer import chat_response
from amplifier_module_provider_openai.chat_stream import Assembly
from amplifier_module_provider_openai.stream_events import BlockEvents
from scripted_server import chunk, stream

CHAT = "/chat/completions"
SPELLED = [
    ("Use <think>reasoning</think> tags before the answer.", None),
    ("Write <think>a</think>, then <think>b</think>\nand stop.", None),
    ("`<think>a</think>` is how it looks.", None),
    ("Both:\n<think>\n</think>\nand no more", None),
    ("It says <think>a</think>. Hm.\n</think>\n\n42", ("It says <think>a</think>. Hm.\n", "42")),
    ("a <thin b</think>42", ("a <thin b", "42")),
]


@pytest.mark.parametrize(("content", "split"), SPELLED)
@pytest.mark.parametrize("size", [1, 2, 5, 8, 99])
async def test_the_end_of_a_tag_that_the_text_spells_is_text(
    server, chat, say, events, content, split, size
):
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    server.on(CHAT, stream(*map(chunk, pieces), chunk(finish="stop")))

    answer = await chat.complete(say())

    thought, text = split or (None, content)
    thoughts = [block.thinking for block in answer.content if block.type == "thinking"]
    assert thoughts == ([thought] if thought else [])
    assert answer.text == text
    shown = [data["text"] for name, data in events if name == "llm:stream_block_delta"]
    assert "".join(shown) == (thought + text if thought else content)


TOKENS = ["<think>", "</think>", "<", "a", " ", "\n", "`", "</thi"]


@given(st.lists(st.sampled_from(TOKENS), max_size=10), st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=400, deadline=None)
def test_tags_mean_the_same_however_they_are_cut(tokens, places):
    content = "".join(tokens)
    cuts = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})

    def answer(pieces: list[str]) -> Any:
        assembly = Assembly(BlockEvents(None))
        for piece in pieces:
            assembly.feed(chunk(piece))
        assembly.feed(chunk(finish="stop"))
        assembly.close()
        return chat_response(assembly, streamed=True).content

    in_pieces = answer([content[a:b] for a, b in pairwise(cuts)])

    assert in_pieces == answer([content]) == answer(list(content))
