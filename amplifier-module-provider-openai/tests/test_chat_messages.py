"""A history as the strictest Chat Completions server wants it (contract §2.1 and §2.3)."""

from __future__ import annotations

import json
from typing import Any

from amplifier_core.message_models import ChatRequest, Message
from hypothesis import given, settings

from amplifier_module_provider_openai.chat_messages import chat_messages
from amplifier_module_provider_openai.repair import repair_history
from scripted_server import refuse_messages
from scripted_server.histories import HISTORIES


def user(text: Any) -> Message:
    return Message(role="user", content=text)


def calling(*ids: str, text: str = "", **extra: Any) -> Message:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    blocks += [{"type": "tool_call", "id": i, "name": "look", "input": {"at": i}} for i in ids]
    return Message(role="assistant", content=blocks, **extra)


def result(call_id: str, content: Any = "seen") -> Message:
    return Message(role="tool", name="look", tool_call_id=call_id, content=content)


def roles(wire: list[dict[str, Any]]) -> list[str]:
    return [message["role"] for message in wire]


def test_one_system_message_comes_first():
    history = [
        Message(role="system", content="One."),
        Message(role="system", content=[{"type": "text", "text": "Two."}]),
        user("Hi"),
    ]

    wire = chat_messages(history)

    assert wire[0] == {"role": "system", "content": "One.\n\nTwo."}
    assert roles(wire) == ["system", "user"]


def test_a_late_system_message_becomes_a_reminder_where_it_stands():
    history = [Message(role="system", content="S"), user("Hi"), Message(role="system", content="L")]

    wire = chat_messages(history)

    assert roles(wire) == ["system", "user"]
    assert wire[1]["content"] == "Hi\n\n<system-reminder>\nL\n</system-reminder>"


def test_developer_messages_are_context_after_the_system_message():
    history = [
        user("Hi"),
        Message(role="developer", content="D"),
        Message(role="assistant", content="A"),
        user("B"),
    ]

    wire = chat_messages(history)

    assert wire[0]["content"] == "<context_file>\nD\n</context_file>\n\nHi"


def test_a_string_result_keeps_the_id_of_its_call():
    wire = chat_messages([user("Hi"), calling("call_1", text="Let me look."), result("call_1")])

    call = wire[1]["tool_calls"][0]
    assert wire[1]["content"] == "Let me look."
    assert call["id"] == "call_1"
    assert call["type"] == "function"
    assert json.loads(call["function"]["arguments"]) == {"at": "call_1"}
    assert wire[2] == {"role": "tool", "tool_call_id": "call_1", "content": "seen"}


def test_results_in_any_order_follow_their_calls():
    wire = chat_messages(
        [user("Hi"), calling("a", "b"), result("b", "B"), user("and?"), result("a", "A")]
    )

    assert roles(wire) == ["user", "assistant", "tool", "tool", "user"]
    assert [message["content"] for message in wire[2:4]] == ["A", "B"]


def test_calls_may_be_in_the_extra_list_only_and_are_not_doubled():
    extra = [
        {"id": "a", "tool": "look", "arguments": {"at": "a"}},
        {"id": "b", "name": "look", "arguments": '{"at": "b"}'},
    ]
    only_extra = Message(role="assistant", content="Looking.", tool_calls=extra)

    wire = chat_messages(
        [
            user("Hi"),
            only_extra,
            result("a"),
            result("b"),
            calling("c", tool_calls=[{"id": "c", "tool": "look", "arguments": {}}]),
            result("c"),
        ]
    )

    assert [call["id"] for call in wire[1]["tool_calls"]] == ["a", "b"]
    assert json.loads(wire[1]["tool_calls"][1]["function"]["arguments"]) == {"at": "b"}
    assert [call["id"] for call in wire[4]["tool_calls"]] == ["c"]


def test_no_arguments_are_an_empty_object():
    history = [
        user("Hi"),
        Message(
            role="assistant", content="", tool_calls=[{"id": "a", "tool": "now", "arguments": ""}]
        ),
        result("a"),
    ]

    wire = chat_messages(history)

    assert wire[1]["tool_calls"][0]["function"]["arguments"] == "{}"
    assert wire[1]["content"] == ""


def test_an_orphaned_result_becomes_the_users_words():
    wire = chat_messages([user("Hi"), result("gone", "42")])

    assert wire == [{"role": "user", "content": "Hi\n\n[Tool: look]\n42"}]


def test_a_second_result_of_one_call_becomes_the_users_words():
    wire = chat_messages([user("Hi"), calling("a"), result("a", "1"), result("a", "2")])

    assert roles(wire) == ["user", "assistant", "tool", "user"]
    assert wire[3]["content"] == "[Tool: look]\n2"


def test_an_unanswered_call_gets_a_result_that_says_so():
    wire = chat_messages([user("Hi"), calling("a", "b"), result("b"), user("Go on")])

    assert [message.get("tool_call_id") for message in wire[2:4]] == ["a", "b"]
    assert "missing" in wire[2]["content"]


def test_calls_that_share_an_id_are_told_apart():
    wire = chat_messages([user("Hi"), calling("a", "a"), result("a", "1")])

    first, second = (call["id"] for call in wire[1]["tool_calls"])
    assert first != second
    assert [message["tool_call_id"] for message in wire[2:]][:2] == [first, second]


def test_the_same_id_may_come_again_in_a_later_turn():
    history = [
        user("Hi"),
        calling("0"),
        result("0", "first"),
        user("Again"),
        calling("0"),
        result("0", "second"),
    ]

    wire = chat_messages(history)

    assert [m["content"] for m in wire if m["role"] == "tool"] == ["first", "second"]


def test_result_blocks_are_results_too():
    block = {"type": "tool_result", "tool_call_id": "a", "output": {"n": [1, 2]}}

    wire = chat_messages([user("Hi"), calling("a"), user([block])])

    assert wire[2] == {"role": "tool", "tool_call_id": "a", "content": '{"n": [1, 2]}'}


def test_a_list_as_result_is_json():
    block = {"type": "tool_result", "tool_call_id": "a", "output": [1, 2]}

    wire = chat_messages([user("Hi"), calling("a"), user([block])])

    assert wire[2]["content"] == "[1, 2]"


def test_images_of_a_result_follow_it_in_a_user_message():
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="},
    }

    wire = chat_messages([user("Hi"), calling("a"), result("a", [image])])

    assert wire[2]["content"] == "[image in the next message]"
    assert wire[3]["content"][0]["image_url"]["url"] == "data:image/png;base64,QQ=="


def test_images_come_by_data_and_by_url_and_never_by_nothing():
    images = [
        {"type": "image", "source": {"data": "QQ=="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "file"}},
    ]

    wire = chat_messages([user([{"type": "text", "text": "See"}, *images])])

    parts = wire[0]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "image_url", "text"]
    assert parts[1]["image_url"]["url"] == "data:image/jpeg;base64,QQ=="
    assert parts[3]["text"] == "[image omitted]"


def test_text_alone_stays_a_string():
    wire = chat_messages([user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])])

    assert wire == [{"role": "user", "content": "a\n\nb"}]


def test_thoughts_are_not_sent_back_unless_configured():
    thought = {"type": "thinking", "thinking": "Hm.", "content": ["encrypted", "rs_1"]}
    history = [
        user("Hi"),
        Message(role="assistant", content=[thought, {"type": "text", "text": "A"}]),
        user("B"),
    ]

    silent, replayed = chat_messages(history), chat_messages(history, "reasoning_content")

    assert "Hm." not in json.dumps(silent)
    assert replayed[1]["reasoning_content"] == "Hm."
    assert "encrypted" not in json.dumps(replayed)


def test_turns_of_one_role_are_joined():
    history = [
        user("a"),
        user("b"),
        Message(role="assistant", content="c"),
        Message(role="assistant", content="d"),
        user("e"),
    ]

    wire = chat_messages(history)

    assert [message["content"] for message in wire] == ["a\n\nb", "c\n\nd", "e"]


def test_text_and_images_of_one_role_are_joined_as_parts():
    image = {"type": "image", "source": {"url": "https://example.org/a.png"}}

    wire = chat_messages([user("a"), user([image])])

    assert [part["type"] for part in wire[0]["content"]] == ["text", "image_url"]


def test_the_last_word_is_never_the_assistants():
    wire = chat_messages([user("Hi"), Message(role="assistant", content="Hello")])

    assert wire[-1] == {"role": "user", "content": "Continue."}


def test_an_assistant_without_text_or_calls_is_dropped():
    wire = chat_messages([user("Hi"), Message(role="assistant", content=[]), user("There?")])

    assert roles(wire) == ["user"]


def test_a_function_message_is_a_result_with_an_id_and_words_without():
    named = Message(role="function", name="look", tool_call_id="a", content="42")
    nameless = Message(role="function", name="look", content="43")

    wire = chat_messages([user("Hi"), calling("a"), named, nameless])

    assert [message["content"] for message in wire[2:]] == ["42", "43"]


def test_a_history_of_openais_replays():
    history = [
        user("Fix it"),
        Message(
            role="assistant",
            content=[
                {"type": "thinking", "thinking": "", "content": ["secret", "rs_1"]},
                {
                    "type": "tool_call",
                    "id": "a",
                    "name": "apply_patch",
                    "input": {"type": "update_file", "path": "x", "diff": "@@"},
                },
            ],
            tool_calls=[{"id": "a", "tool": "apply_patch", "arguments": {}}],
            metadata={"openai:response_id": "resp_1", "openai:reasoning_items": ["rs_1"]},
        ),
        result("a", "M x"),
    ]

    wire = chat_messages(history)

    assert roles(wire) == ["user", "assistant", "tool"]
    assert "secret" not in json.dumps(wire)
    assert "resp_1" not in json.dumps(wire)


@given(HISTORIES)
@settings(max_examples=300, deadline=None)
def test_any_history_is_accepted_by_the_strictest_server(history):
    request = ChatRequest(messages=history)
    repair_history(request, set())

    wire = chat_messages(request.messages)

    assert refuse_messages(wire) is None
    json.dumps(wire)
