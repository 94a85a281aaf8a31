"""Tags of thoughts that the text only spells (contract §3.3)."""

from __future__ import annotations

import pytest

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
