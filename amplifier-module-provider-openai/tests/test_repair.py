"""Histories in which a tool call has no result (contract §2.1)."""

from __future__ import annotations

import pytest
from amplifier_core.message_models import ChatRequest, Message, ToolCallBlock

from amplifier_module_provider_openai import repair
from scripted_server import chunk, stream

CHAT = "/chat/completions"


def calling(*ids):
    blocks = [ToolCallBlock(id=call_id, name="look", input={}) for call_id in ids]
    return Message(role="assistant", content=blocks)


def request(*messages):
    return ChatRequest(messages=list(messages))


def test_each_missing_result_is_put_behind_its_call():
    asked = request(calling("a", "b"), Message(role="tool", tool_call_id="b", content="seen"))

    repairs = repair.repair_history(asked, set())

    assert [m.role for m in asked.messages] == ["assistant", "tool", "tool"]
    assert asked.messages[1].tool_call_id == "a"
    assert "Tool result missing" in str(asked.messages[1].content)
    assert [call.id for call in repairs.fresh] == ["a"]


def test_before_a_person_speaks_the_assistant_says_that_it_was_interrupted():
    asked = request(calling("a"), Message(role="user", content="Well?"))

    repairs = repair.repair_history(asked, set())

    assert [m.role for m in asked.messages] == ["assistant", "tool", "assistant", "user"]
    assert "interrupted" in str(asked.messages[2].content)
    assert repairs.payload("openai")["synthetic_assistant_count"] == 1


@pytest.mark.parametrize(
    "following",
    [
        Message(role="user", content="<system-reminder>x</system-reminder>"),
        Message(role="user", content="x", tool_call_id="z"),
        Message(role="system", content="x"),
    ],
)
def test_nobody_is_interrupted_by_what_no_person_said(following):
    asked = request(calling("a"), following)

    repairs = repair.repair_history(asked, set())

    assert len(asked.messages) == 3
    assert "synthetic_assistant_count" not in repairs.payload("openai")


async def test_each_request_is_repaired_and_each_call_told_once(server, make_provider, events, say):
    server.on(CHAT, stream(chunk("ok"), chunk(finish="stop")))
    provider = make_provider(use_responses_api=False)

    for _ in range(2):
        history = [Message(role="user", content="Hi"), calling("a"), calling("b")]
        await provider.complete(say(messages=history))

    told = [data for name, data in events if name == "provider:tool_sequence_repaired"]
    assert [data["repair_count"] for data in told] == [2]
    assert told[0]["repairs"][0] == {"tool_call_id": "a", "tool_name": "look"}
    assert events[0][0] == "provider:tool_sequence_repaired"
    for body in server.bodies(CHAT):
        assert [m["role"] for m in body["messages"]] == [
            "user",
            "assistant",
            "tool",
            "assistant",
            "tool",
        ]


def test_what_was_told_is_not_remembered_without_bound(monkeypatch):
    monkeypatch.setattr(repair, "_REMEMBERED_IDS", 2)
    known: set[str] = set()

    for call_id in "abcd":
        repair.repair_history(request(calling(call_id)), known)

    assert known == {"d"}
