"""What a check says to a model, in words that favour neither layer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
#: "none", "auto", "required", or else the name of the tool that must be called.
ToolChoice: TypeAlias = str

#: Enough for every answer that a check expects; an answer cut here is inconclusive.
DEFAULT_MAX_TOKENS = 256


class Told(dict[str, Any]):
    """What somebody else said: a key that is missing is their fault, an `AssertionError`."""

    def __missing__(self, key: str) -> Any:
        raise AssertionError(f"there is no {key!r} in {dict(self)!r}")


def parsed(text: str, what: str) -> Any:
    """A JSON text, parsed. An `AssertionError` says that `what` is none."""
    try:
        return json.loads(text, object_hook=Told, parse_constant=_no_number)
    except ValueError as error:
        raise AssertionError(f"{what}: not JSON: {text[:300]!r}") from error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True)
class ToolCall:
    """A call that a model made: `text` is its arguments as JSON text, untouched."""

    id: str
    name: str
    text: str

    @property
    def arguments(self) -> Any:
        """The arguments, parsed. An `AssertionError` if they are not JSON."""
        return parsed(self.text, f"the arguments of {self.name}")


@dataclass(frozen=True)
class Image:
    """A picture in a message: its bytes in base64."""

    data: str
    media_type: str = "image/png"


@dataclass(frozen=True)
class Message:
    """One message of a conversation; `calls` on assistant messages, `call` on tool results.

    With `parts` its content is a list, and `text` is not sent.
    """

    role: Role
    text: str = ""
    calls: Sequence[ToolCall] = ()
    call: ToolCall | None = None
    parts: Sequence[str | Image] = ()


def forced(choice: ToolChoice) -> str | dict[str, Any]:
    """A tool choice as the OpenAI API writes it."""
    if choice in {"none", "auto", "required"}:
        return choice
    return {"type": "function", "function": {"name": choice}}


def system(text: str) -> Message:
    """A system message."""
    return Message("system", text)


def developer(text: str) -> Message:
    """A developer message: it stands where a system message would."""
    return Message("developer", text)


def user(*parts: str | Image) -> Message:
    """A user message; one text goes as a string, anything else as a list of parts."""
    return _content("user", parts)


def assistant(text: str = "", calls: Sequence[ToolCall] = ()) -> Message:
    """An earlier answer of the model's."""
    return Message("assistant", text, calls=tuple(calls))


def result(call: ToolCall, *parts: str) -> Message:
    """What the tool answered to `call`; one text goes as a string, several as a list of parts."""
    return replace(_content("tool", parts), call=call)


def _content(role: Role, parts: Sequence[str | Image]) -> Message:
    match parts:
        case (str(text),):
            return Message(role, text)
        case _:
            return Message(role, parts=parts)


class Omitted:
    """Stands for a key that is left out of a request."""


OMITTED = Omitted()


@dataclass(frozen=True)
class Question:
    """One request, before it is put into a layer's own words.

    Tools are function objects: `{"name", "description", "parameters"}`, the last a JSON Schema.
    `max_tokens` None asks for the default and calls an answer that was cut there inconclusive.
    An empty `schema` asks for any JSON object.
    `fields` are further keys of the request, under the names of the OpenAI API on the wire and
    of the kernel's `ChatRequest` on the provider layer; `OMITTED` takes a key out.
    """

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: ToolChoice | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
