"""Histories of any shape, broken ones among them, for tests of what becomes of them."""

from __future__ import annotations

from typing import Any

from amplifier_core.message_models import Message
from hypothesis import strategies as st

TEXTS = st.text(alphabet="ab \n<", max_size=6)
IDS = st.sampled_from(["", "a", "b", "c"])
CALLS = st.fixed_dictionaries(
    {"id": IDS, "name": st.just("look"), "input": st.dictionaries(TEXTS, st.integers(), max_size=1)}
)
PATCHES = st.fixed_dictionaries(
    {
        "id": IDS,
        "name": st.just("apply_patch"),
        "input": st.just({"type": "delete_file", "path": "x"}),
    }
)
EXTRAS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "id": IDS,
        "tool": st.just("look"),
        "arguments": st.sampled_from(["", "{", "[]", "{}", None, {}]),
    }
)
BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS),
    st.builds(lambda call: {"type": "tool_call", **call}, CALLS | PATCHES),
    st.builds(lambda i, o: {"type": "tool_result", "tool_call_id": i, "output": o}, IDS, TEXTS),
    st.builds(lambda text: {"type": "thinking", "thinking": text}, TEXTS),
    st.just({"type": "image", "source": {"data": "QQ=="}}),
)
MESSAGES = st.builds(
    lambda role, content, call_id, calls: Message(
        role=role, content=content, tool_call_id=call_id, tool_calls=calls
    ),
    st.sampled_from(["system", "developer", "user", "assistant", "function", "tool"]),
    TEXTS | st.lists(BLOCKS, max_size=4),
    IDS,
    st.none() | st.lists(EXTRAS, max_size=2),
)
HISTORIES = st.lists(MESSAGES, max_size=7)
