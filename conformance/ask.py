"""The one face that the four askers share: layer × mode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from conformance.agreement import Asked
from conformance.conversation import Message, Question, ToolChoice, user
from conformance.invariants import Answered
from conformance.outcome import Inconclusive
from conformance.reply import Refusal, Reply
from reports import Layer, Mode


class Asker(ABC):
    """Puts a question to the target on one layer, in one mode, and returns a `Reply`."""

    layer: Layer

    def __init__(self, model: str, mode: Mode) -> None:
        self.model = model
        self.mode = mode
        #: Every question so far with its answer, for the invariants.
        self.answered: list[Answered] = []
        #: Those that the target itself was asked, and how.
        self.asked: list[Asked] = []

    async def __call__(
        self,
        *turns: str | Message | Reply,
        tools: Sequence[Mapping[str, Any]] = (),
        tool_choice: ToolChoice | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Reply:
        """Ask, with a plain string for a user message and a `Reply` for an assistant's.

        Temperature is 0 unless `fields`, further keys of the request, say otherwise.
        Raises `NotAnswered` for an error status or a broken answer, and `Inconclusive` for an
        answer that was cut although `max_tokens` was not given.
        """
        question = Question(
            messages=as_messages(turns),
            tools=tuple(tools),
            tool_choice=tool_choice,
            max_tokens=max_tokens,
            stop=tuple(stop),
            schema=schema,
            fields=fields,
        )
        return await self.put(question, self.mode)

    async def whole(self, *turns: str | Message | Reply, **settings: Any) -> Reply:
        """Ask the same on the same layer, without streaming: what a stream is compared with."""
        streaming, self.mode = self.mode, Mode.WHOLE
        try:
            return await self(*turns, **settings)
        finally:
            self.mode = streaming

    async def put(self, question: Question, mode: Mode) -> Reply:
        """Answer one question; an answer cut by the default limit is `Inconclusive`."""
        reply = await self.answer(question, mode)
        self.note(question, reply, mode)
        if question.max_tokens is None and reply.finish_reason == "length":
            raise Inconclusive(f"the answer was cut at the default limit: {reply.text!r}")
        return reply

    def note(self, question: Question, reply: Reply, mode: Mode) -> None:
        """Keep a question with its answer for the invariants."""
        self.answered.append((question, reply))
        self.asked.append((question, reply, mode))

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Meanwhile questions go over connections that are kept; the module keeps its own."""
        yield

    @abstractmethod
    async def answer(self, question: Question, mode: Mode) -> Reply:
        """Send the question in the layer's own words and read the answer."""

    @abstractmethod
    async def models(self) -> list[str]:
        """The ids of the models that the target says it serves."""

    @abstractmethod
    async def refusal(self, *turns: str | Message | Reply, **fields: Any) -> Refusal:
        """Ask what must be refused as the client's own fault, and return the error that comes."""

    @abstractmethod
    async def astray(self, *turns: str | Message | Reply) -> Refusal:
        """Ask below a path that the server does not serve, and return the error that comes."""


def as_messages(turns: Sequence[str | Message | Reply]) -> tuple[Message, ...]:
    """The messages of a conversation, from any of the forms in which checks write it."""
    return tuple(as_message(turn) for turn in turns)


def as_message(turn: str | Message | Reply) -> Message:
    """One turn."""
    if isinstance(turn, str):
        return user(turn)
    return turn.as_message() if isinstance(turn, Reply) else turn
