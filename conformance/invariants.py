"""What must hold for every answer of every check, each judged under an id of its own.

Source: OpenAI's openapi 2.3.0; the ids' rows are in catalogue/invariants.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from conformance.conversation import Question
from conformance.outcome import ensure_form
from conformance.reply import Reply

Answered: TypeAlias = tuple[Question, Reply]
Holds: TypeAlias = Callable[[Question, Reply], None]
Applies: TypeAlias = Callable[[Reply], bool]

#: What chat templates wrap calls, thoughts and turns in; in an answer it is a parser's failure.
MARKUP = re.compile(r"</?tool_call>|</?think>|<\|im_(?:start|end)\|>|<\|endoftext\|>")


@dataclass(frozen=True)
class Invariant:
    """A check of each answer that it applies to: `holds` raises an `AssertionError`."""

    check: str
    applies: Applies
    holds: Holds

    def judge(self, answers: Iterable[Answered]) -> AssertionError | None:
        """The first fault, or None."""
        for question, reply in answers:
            try:
                self.holds(question, reply)
            except AssertionError as fault:
                return fault
        return None


INVARIANTS: list[Invariant] = []


def invariant(check: str, applies: Applies = lambda _: True) -> Callable[[Holds], Holds]:
    """Make a function the invariant `check` of the catalogue."""

    def register(holds: Holds) -> Holds:
        INVARIANTS.append(Invariant(check, applies, holds))
        return holds

    return register


def judged(answers: Iterable[Answered]) -> Iterator[tuple[str, AssertionError | None]]:
    """Each invariant that applies to one of the answers, with the first fault or None."""
    seen = list(answers)
    for one in INVARIANTS:
        concerned = [answered for answered in seen if one.applies(answered[1])]
        if concerned:
            yield one.check, one.judge(concerned)


def _has_calls(reply: Reply) -> bool:
    return bool(reply.tool_calls)


def _has_text(reply: Reply) -> bool:
    return bool(reply.text)


def _has_usage(reply: Reply) -> bool:
    return reply.usage is not None


@invariant("invariants.calls-told")
def calls_told(question: Question, reply: Reply) -> None:
    """The finish reason says "tool_calls" if and only if there are calls; a cut says "length".

    OpenAI itself says "stop" after a call that the request named.
    """
    if reply.tool_calls:
        named = question.tool_choice not in {None, "none", "auto", "required"}
        told = {"tool_calls", "length"} | ({"stop"} if named else set())
        assert reply.finish_reason in told, reply.described
    else:
        assert reply.finish_reason != "tool_calls", reply.described


@invariant("invariants.arguments-object", _has_calls)
def arguments_object(_: Question, reply: Reply) -> None:
    """The arguments of a call that was not cut are a JSON object."""
    if reply.finish_reason != "length":
        for call in reply.tool_calls:
            assert isinstance(call.arguments, dict), f"arguments are no object: {call.text!r}"


@invariant("invariants.offered-names", _has_calls)
def offered_names(question: Question, reply: Reply) -> None:
    """Only tools that were offered are called."""
    offered = {tool["name"] for tool in question.tools}
    called = {call.name for call in reply.tool_calls}
    assert called <= offered, f"called {sorted(called - offered)}, offered {sorted(offered)}"


@invariant("invariants.call-ids", _has_calls)
def call_ids(_: Question, reply: Reply) -> None:
    """Each call has an id, and no two have the same."""
    ids = [call.id for call in reply.tool_calls]
    assert all(ids), f"a call without an id: {ids}"
    assert len(set(ids)) == len(ids), f"two calls with one id: {ids}"


@invariant("invariants.no-markup", _has_text)
def no_markup(_: Question, reply: Reply) -> None:
    """The text holds nothing of the template's own markup, unless it was cut in a call."""
    found = MARKUP.findall(reply.text)
    assert not found or reply.finish_reason == "length", (
        f"markup of the template in the text: {reply.text!r}"
    )


@invariant("invariants.tokens-told", _has_usage)
def tokens_told(question: Question, reply: Reply) -> None:
    """Prompt and completion tokens make the total, and what is counted and what is seen agree.

    A piece of text holds one token or several; at the end what was held back may come by itself.
    """
    usage = reply.usage
    assert usage is not None
    both = usage.prompt_tokens + usage.completion_tokens
    ensure_form(usage.total_tokens == both, f"{usage} does not add up")
    pieces = len(reply.deltas)
    ensure_form(
        pieces <= usage.completion_tokens + 1 or question.fields.get("n", 1) != 1,
        f"{pieces} pieces of text, of {usage.completion_tokens} tokens",
    )
    if usage.completion_tokens > 1 and reply.finish_reason != "length":
        shown = reply.text or reply.tool_calls or reply.reasoning
        assert shown, f"{usage.completion_tokens} tokens, but {reply.described}"
