"""A question that is asked in both modes gets one answer."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.agreement import CHECK, Agreement
from conformance.conversation import Question, ToolCall, assistant, result, user
from conformance.reply import Reply
from reports import Layer, Mode


def question(text: str = "Count to 3.", **fields: Any) -> Question:
    """One message."""
    return Question(messages=(user(text),), fields=fields)


def reply(text: str = "1 2 3", arguments: str = "", finish: str = "stop") -> Reply:
    """An answer, with a call where there are arguments."""
    calls = [ToolCall("id", "add", arguments)] if arguments else []
    return Reply(text=text, tool_calls=calls, finish_reason=finish, usage=None)


def faults(whole: Reply, streamed: Reply, asked: Question | None = None) -> list[str]:
    """What is said of a streamed answer, after a whole one."""
    asked, modes = asked or question(), Agreement()
    assert list(modes.judged(Layer.WIRE, [(asked, whole, Mode.WHOLE)])) == []
    found = dict(modes.judged(Layer.WIRE, [(asked, streamed, Mode.STREAM)]))
    return [str(fault) for fault in found.values() if fault]


@pytest.mark.parametrize(
    "streamed",
    [reply("1 2"), reply(finish="length"), reply(arguments="{}"), reply("")],
    ids=["text", "finish", "call", "nothing"],
)
def test_what_differs_is_told_with_both_answers(streamed: Reply) -> None:
    [told] = faults(reply(), streamed)

    assert "whole: text '1 2 3'" in told


def test_ids_and_spaces_may_differ() -> None:
    whole, streamed = reply("", '{"a": 1}'), reply("\n\n", '{"a":1}')

    assert faults(whole, streamed) == []


def test_only_one_answer_can_be_right_at_temperature_0_alone() -> None:
    warm = question(temperature=1)

    assert faults(reply(), reply("3 2 1"), warm) == []


def test_layers_and_questions_are_not_mixed_up() -> None:
    modes = Agreement()
    list(modes.judged(Layer.WIRE, [(question(), reply(), Mode.WHOLE)]))

    other_layer = modes.judged(Layer.PROVIDER, [(question(), reply("x"), Mode.STREAM)])
    other_question = modes.judged(Layer.WIRE, [(question("x"), reply("x"), Mode.STREAM)])

    assert list(other_layer) == list(other_question) == []


def test_agreement_is_a_pass() -> None:
    modes = Agreement()
    both = [(question(), reply(), mode) for mode in (Mode.STREAM, Mode.WHOLE)]

    assert dict(modes.judged(Layer.WIRE, both)) == {CHECK: None}


def test_a_turn_after_a_call_is_one_question_whatever_the_ids() -> None:
    def follow_up(id_: str, arguments: str, told: str = "12") -> Question:
        call = ToolCall(id_, "add", arguments)
        return Question((user("Add."), assistant("", [call]), result(call, told)))

    modes = Agreement()
    list(modes.judged(Layer.WIRE, [(follow_up("a", '{"a":1}'), reply(), Mode.WHOLE)]))
    same = [(follow_up("b", '{"a": 1}'), reply("x"), Mode.STREAM)]
    another = [(follow_up("a", '{"a":1}', told="13"), reply("x"), Mode.STREAM)]

    assert dict(modes.judged(Layer.WIRE, same))[CHECK]
    assert list(modes.judged(Layer.WIRE, another)) == []


def test_half_a_call_may_be_shown_or_not() -> None:
    shown = reply('<tool_call>\n{"name', finish="length")

    assert faults(shown, reply("", finish="length")) == []
    assert faults(reply("1 2", finish="length"), reply("1", finish="length"))
