"""What came back over the wire, as it is: read strictly, and only when a check looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from conformance.chunks import Assembly
from conformance.completion import Chunk, Completion, Delta, ErrorBody, FunctionCall
from conformance.conversation import ToolCall, parsed
from conformance.outcome import (
    NotAnswered,
    Refused,
    Unsupported,
    about_form,
    ensure_form,
    is_refusal,
)
from conformance.reply import Refusal, Reply, Usage
from conformance.sse import all_events, whole_stream


@dataclass(frozen=True)
class Answer:
    """An HTTP response as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str
    #: Is told each reply that is read from it.
    noted: Callable[[Reply], None] = lambda _: None

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed. `Malformed` if it is no JSON object."""
        return json_object(self.text, "the body")

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The events of a stream, parsed, without the `[DONE]` that ends it.

        `Malformed` says what is wrong with the stream.
        """
        return [_chunk(data) for data in whole_stream(self.text.encode())]

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The choices of all chunks of a stream, in order, parsed."""
        return [choice for chunk in self.chunks for choice in chunk.get("choices") or ()]

    @property
    def events(self) -> list[str]:
        """The data of each event of a stream that need not end in `[DONE]`."""
        return all_events(self.text.encode())

    @property
    def deltas(self) -> list[Delta]:
        """What the chunks of a stream add to its first choice."""
        chunks = [Chunk.read(data) for data in whole_stream(self.text.encode())]
        return [c.delta for chunk in chunks for c in chunk.choices if c.index == 0]

    @property
    def reply(self) -> Reply:
        """What was answered, streamed or whole, as `ensure_answered` has it."""
        self.ensure_answered()
        reply = self._read()
        self.noted(reply)
        return reply

    def _read(self) -> Reply:
        if not self.headers.get("content-type", "").startswith("text/event-stream"):
            return read_completion(Completion.read(self.text))
        assembly = Assembly()
        for data in whole_stream(self.text.encode()):
            assembly.add(Chunk.read(data))
        return assembly.reply()

    @property
    def refusal(self) -> Refusal:
        """The error by which a request was refused, told in words, as the client's own fault.

        An answer in its place is an `AssertionError`: another model may do what this one can't.
        """
        said = f"HTTP {self.status}: {self.text[:300]}"
        assert self.status != httpx.codes.OK, said
        if self.status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}:
            raise NotAnswered(said)
        ensure_form(400 <= self.status < 500, said)
        return Refusal(self.status, ErrorBody.read(self.text).message)

    @property
    def if_supported(self) -> Reply:
        """The reply; `Unsupported` where the request was refused, as `refusal` has it."""
        self.ensure_supported()
        return self.reply

    def ensure_supported(self) -> None:
        """`Unsupported` where the request itself was refused; `NotAnswered` where it failed."""
        if is_refusal(self.status):
            raise Unsupported(f"HTTP {self.status}: {self.refusal.message}")
        self.ensure_answered()

    def ensure_answered(self) -> None:
        """`NotAnswered` for any status but 200, and `Refused` for a 4xx that tells why."""
        if self.status != httpx.codes.OK:
            raise no_answer(self.status, self.text)

    def ensure_sound(self) -> None:
        """Either a whole answer or a clean refusal: where the API leaves the choice to servers."""
        if self.status == httpx.codes.OK:
            assert self.reply.finish_reason
        else:
            assert self.refusal.message


def read_completion(completion: Completion) -> Reply:
    """The first choice of a whole completion as a `Reply`."""
    choice, usage = completion.choices[0], completion.usage
    return Reply(
        text=choice.message.content or "",
        tool_calls=[_call(call) for call in choice.message.tool_calls or ()],
        finish_reason=choice.finish_reason,
        usage=Usage(**dict(usage)) if usage else None,
        reasoning=choice.message.thought,
    )


def no_answer(status: int, said: str) -> NotAnswered:
    """What a status other than 200 comes to: a `Refused` for a 4xx that tells why."""
    message = f"HTTP {status}: {said[:300]}"
    if not is_refusal(status):
        return NotAnswered(message)
    try:
        ErrorBody.read(said)
    except AssertionError:
        return NotAnswered(message)
    return Refused(message)


def json_object(text: str, what: str) -> dict[str, Any]:
    """A JSON object, parsed. `Malformed` if it is none."""
    with about_form():
        found = parsed(text, what)
        assert isinstance(found, dict), f"{what}: no JSON object: {text[:300]!r}"
    return found


def _chunk(data: str) -> dict[str, Any]:
    Chunk.read(data)
    return json_object(data, "an event")


def _call(call: FunctionCall) -> ToolCall:
    return ToolCall(call.id, call.function.name, call.function.arguments)
