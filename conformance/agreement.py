"""A question that is asked whole and streamed: at temperature 0 both get the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

from conformance.conversation import Question, ToolCall
from conformance.invariants import MARKUP
from conformance.reply import Reply
from reports import Layer, Mode

Asked: TypeAlias = tuple[Question, Reply, Mode]

CHECK = "invariants.modes-agree"


class Agreement:
    """The whole answers to one check of a target so far, against which streamed ones are held."""

    def __init__(self) -> None:
        self._whole: dict[tuple[Layer, str], str] = {}

    def judged(
        self, layer: Layer, asked: Iterable[Asked]
    ) -> Iterator[tuple[str, AssertionError | None]]:
        """The invariant, where a streamed answer has a whole one: the first fault, or None."""
        streamed = []
        for question, reply, mode in asked:
            if _is_greedy(question):
                key = layer, _key(question)
                if mode is Mode.WHOLE:
                    self._whole.setdefault(key, _told(reply))
                else:
                    streamed.append((key, _told(reply)))
        pairs = [(self._whole[key], told) for key, told in streamed if key in self._whole]
        if pairs:
            yield CHECK, next((_fault(*pair) for pair in pairs if pair[0] != pair[1]), None)


def _is_greedy(question: Question) -> bool:
    """Whether the same question has but one answer."""
    fields = question.fields
    return bool(fields.get("temperature", 0) == 0 and fields.get("n", 1) == 1)


def _key(question: Question) -> str:
    """What is asked, without what may differ: the ids and spaces of calls made before."""
    numbers: dict[str, int] = {}

    def told(call: ToolCall | None) -> object:
        if call is None:
            return None
        number = numbers.setdefault(call.id, len(numbers))
        return number, call.name, _arguments(call.text)

    messages = [
        (
            message.role,
            message.text.strip() if message.calls else message.text,
            message.parts,
            [told(call) for call in message.calls],
            told(message.call),
        )
        for message in question.messages
    ]
    return repr((messages, replace(question, messages=())))


def _told(reply: Reply) -> str:
    """What an answer says, without what may differ.

    That is ids, spaces in and around calls, and how half a call is shown that a limit cut.
    """
    calls = [(call.name, _arguments(call.text)) for call in reply.tool_calls]
    text = reply.text.strip() if calls else reply.text
    if reply.finish_reason == "length":
        text = MARKUP.split(text)[0].strip()
    return (
        f"text {text!r}, reasoning {reply.reasoning!r}, calls {calls}, "
        f"finish reason {reply.finish_reason!r}"
    )


def _arguments(text: str) -> str:
    with suppress(ValueError):
        return json.dumps(json.loads(text), sort_keys=True)
    return text


def _fault(whole: str, streamed: str) -> AssertionError:
    return AssertionError(f"streamed: {streamed}; whole: {whole}")
