"""The provider asker: the same question through the mounted Amplifier module."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

from amplifier_core import ChatRequest, ChatResponse, LLMError, Provider, llm_errors
from amplifier_core import Message as AmplifierMessage
from amplifier_core.message_models import (
    ImageBlock,
    ResponseFormatJson,
    ResponseFormatJsonSchema,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    ToolSpec,
)
from amplifier_core.message_models import ToolCall as AmplifierCall

from conformance.ask import Asker, as_messages
from conformance.conversation import (
    DEFAULT_MAX_TOKENS,
    OMITTED,
    Image,
    Message,
    Question,
    ToolCall,
    forced,
)
from conformance.invariants import Answered
from conformance.mount import EmittedEvent, Entry, Mounted, mounted
from conformance.outcome import Malformed, NotAnswered, Refused, is_refusal
from conformance.reply import Refusal, Reply, Usage
from conformance.wire import PATIENCE
from reports import Layer, Mode
from servers.tap import Connection

#: What a module makes of a request that the server does not take.
_HANDED_ON = (llm_errors.InvalidRequestError, llm_errors.NotFoundError)


class ProviderAsker(Asker):
    """Asks through the module, mounted as `entry` of a mount plan says."""

    layer = Layer.PROVIDER

    def __init__(self, mount: Mounted, entry: Entry, mode: Mode) -> None:
        super().__init__(entry["config"]["default_model"], mode)
        self.entry = entry
        #: What a stand-in answered in the server's place.
        self.answered_for: list[Connection] = []
        self._mount = mount

    @property
    def events(self) -> list[EmittedEvent]:
        """What the session emitted so far: time, name, payload."""
        return self._mount.events

    @property
    def provider(self) -> Provider:
        """The module's own face."""
        return self._mount.provider

    async def answer(self, question: Question, mode: Mode) -> Reply:
        """Call `complete()` as an orchestrator would.

        Fields that the kernel's request has not go through the module's `extra_request_params`.
        """
        known, extra = _sorted_fields(question)
        if extra:
            async with self.configured(extra_request_params=extra) as other:
                return await other.answer(replace(question, fields=known), mode)
        before = len(self.events)
        response = await self.complete(chat_request(question, mode))
        with of_the_module("reading the answer and its events"):
            shown = _text_deltas(self.events[before:], text_of(response))
            return _reply(self._mount, response, shown)

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The module's own answer to the kernel's own request. `NotAnswered` for any error."""
        try:
            return await self._completed(request)
        except NotAnswered:
            raise
        except Exception as error:
            raise _no_answer(error) from error

    async def ended(self, request: ChatRequest, **options: Any) -> ChatResponse | LLMError:
        """What `complete()` comes to: an answer, or one of the kernel's errors and no other."""
        try:
            return await self._completed(request, **options)
        except LLMError as error:
            return error
        except NotAnswered:
            raise
        except Exception as error:
            kind = type(error).__name__
            told = f"complete() raised {kind}, which is none of the kernel's errors: {error}"
            raise Malformed(told) from error

    async def _completed(self, request: ChatRequest, **options: Any) -> ChatResponse:
        async with asyncio.timeout(PATIENCE):
            response = await self._mount.provider.complete(request, **options)
        if not isinstance(response, ChatResponse):
            raise NotAnswered(f"complete() gave {response!r}, which is no ChatResponse")
        return response

    def calls(self, response: ChatResponse) -> list[AmplifierCall]:
        """The calls that the module finds in an answer of its own."""
        with of_the_module("parse_tool_calls()"):
            return list(self._mount.provider.parse_tool_calls(response))

    def call(self, response: ChatResponse) -> AmplifierCall:
        """The only one. An `AssertionError` if there is none, or more than one."""
        calls = self.calls(response)
        assert len(calls) == 1, f"expected one tool call, got {calls}"
        return calls[0]

    async def text(self, *turns: str | Message | Reply) -> str:
        """The answer's text alone: of questions at once nobody can tell whose events are whose."""
        response = await self.complete(self.request(*turns))
        with of_the_module("reading the answer"):
            return text_of(response)

    def request(
        self,
        *turns: str | Message | Reply,
        tools: Sequence[Mapping[str, Any]] = (),
        max_tokens: int | None = None,
        **fields: Any,
    ) -> ChatRequest:
        """The request that a call of this asker makes."""
        messages = as_messages(turns)
        question = Question(messages, tuple(tools), max_tokens=max_tokens, fields=fields)
        return chat_request(question, self.mode)

    @property
    def base_url(self) -> str:
        """Where the module sends its requests."""
        return str(self.entry["config"]["base_url"])

    def emitted(self, event: str) -> list[dict[str, Any]]:
        """The payloads of an event so far, in order."""
        return [payload for _, name, payload in self.events if name == event]

    @asynccontextmanager
    async def configured(self, **config: Any) -> AsyncIterator[ProviderAsker]:
        """The module mounted a second time, with other settings; its events are kept here too."""
        entry = self.entry | {"config": self.entry["config"] | config}
        async with mounted(entry) as mount:
            other = ProviderAsker(mount, entry, self.mode)
            try:
                yield other
            finally:
                self.answered += other.answered
                self.answered_for += other.answered_for
                self.events.extend(other.events)

    async def models(self) -> list[str]:
        """The ids of `list_models()`."""
        with of_the_module("list_models()"):
            return [model.id for model in await self._mount.provider.list_models()]

    async def astray(self, *turns: str | Message | Reply) -> Refusal:
        """Mount the module a second time, with a base URL below the server's, and ask there."""
        async with self.configured(base_url=f"{self.base_url}/no-such-route") as other:
            error = await other.error(*turns)
        return Refusal(error.status_code, str(error))

    async def refusal(self, *turns: str | Message | Reply, **fields: Any) -> Refusal:
        """Call `complete()` and take the error that it raises."""
        error = await self.error(*turns, **fields)
        return Refusal(error.status_code, str(error))

    async def error(self, *turns: str | Message | Reply, **fields: Any) -> LLMError:
        """The typed error that `complete()` raises; an answer is an `AssertionError`."""
        ended = await self.ended(self.request(*turns, **fields))
        if isinstance(ended, LLMError):
            return ended
        raise AssertionError(f"complete() raised no error, but answered {ended!r}")

    @asynccontextmanager
    async def session(
        self, *others: Entry, tools: Sequence[str] = (), name: str | None = "local", **loop: Any
    ) -> AsyncIterator[Mounted]:
        """A whole session with the module under `name`, beside other providers, in this mode.

        Without a name it is mounted under the module's own.
        """
        local = self.entry | ({"instance_id": name} if name else {})
        settings = {"provider": name, "stream": self.mode is Mode.STREAM, **loop}
        async with mounted(*others, local, loop=settings, tools=tools) as mount:
            try:
                yield mount
            finally:
                self.events.extend(mount.events)
                with of_the_module("reading the session's answers"):
                    self.answered += _answered(mount)


@contextmanager
def of_the_module(what: str) -> Iterator[None]:
    """`NotAnswered` for any error in here: it comes from the module, or from what it gave back."""
    try:
        yield
    except Exception as error:
        raise NotAnswered(f"{what} raised {type(error).__name__}: {error}") from error


def chat_request(question: Question, mode: Mode) -> ChatRequest:
    """The kernel's request envelope, as amplifier-core's orchestrators fill it."""
    limits = {
        "temperature": 0.0,
        "max_output_tokens": question.max_tokens or DEFAULT_MAX_TOKENS,
    }
    return ChatRequest(
        messages=[_message(message) for message in question.messages],
        tools=[ToolSpec(**tool) for tool in question.tools] or None,
        tool_choice=forced(question.tool_choice) if question.tool_choice else None,
        stop=list(question.stop) or None,
        response_format=_response_format(question),
        metadata=None if mode is Mode.STREAM else {"stream": False},
        **{**limits, **_sorted_fields(question)[0]},
    )


def _sorted_fields(question: Question) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that the kernel's request has, and those that it hasn't."""
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in question.fields.items():
        fields = known if key in ChatRequest.model_fields else extra
        fields[key] = None if value is OMITTED else value
    return known, extra


def _response_format(question: Question) -> ResponseFormatJson | ResponseFormatJsonSchema | None:
    if question.schema is None:
        return None
    if not question.schema:
        return ResponseFormatJson(type="json")
    return ResponseFormatJsonSchema(
        type="json_schema", json_schema=dict(question.schema), strict=True
    )


def _message(message: Message) -> AmplifierMessage:
    content = [_part(part) for part in message.parts] if message.parts else message.text
    if message.call:
        call = message.call
        return AmplifierMessage(role="tool", content=content, name=call.name, tool_call_id=call.id)
    if not message.calls:
        return AmplifierMessage(role=message.role, content=content)
    text = [TextBlock(text=message.text)] if message.text else []
    calls = [ToolCallBlock(id=c.id, name=c.name, input=c.arguments) for c in message.calls]
    # Orchestrators write each call twice: as a block, and here under the key `tool`.
    twice = [{"id": c.id, "tool": c.name, "arguments": c.arguments} for c in message.calls]
    return AmplifierMessage(role="assistant", content=[*text, *calls], tool_calls=twice)


def _part(part: str | Image) -> TextBlock | ImageBlock:
    if isinstance(part, str):
        return TextBlock(text=part)
    source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    return ImageBlock(source=source)


def text_of(response: ChatResponse) -> str:
    """All text of an answer."""
    return "".join(block.text for block in response.content if isinstance(block, TextBlock))


def _reply(mount: Mounted, response: ChatResponse, deltas: list[str]) -> Reply:
    usage = response.usage
    return Reply(
        text=text_of(response),
        tool_calls=[
            ToolCall(call.id, call.name, json.dumps(call.arguments))
            for call in mount.provider.parse_tool_calls(response)
        ],
        finish_reason=response.finish_reason,
        usage=Usage(usage.input_tokens, usage.output_tokens, usage.total_tokens) if usage else None,
        reasoning="".join(b.thinking for b in response.content if isinstance(b, ThinkingBlock)),
        deltas=deltas,
    )


def _no_answer(error: Exception) -> NotAnswered:
    """`Refused` where the module hands on what the server refused, not what it refuses itself."""
    message = f"complete() raised {type(error).__name__}: {error}"
    handed_on = isinstance(error, _HANDED_ON) and is_refusal(error.status_code) and str(error)
    return Refused(message) if handed_on else NotAnswered(message)


def _answered(mount: Mounted) -> Iterator[Answered]:
    """What the session's loop asked and was answered, as far as the invariants need it."""
    for request, response in mount.session.coordinator.get("orchestrator").answered:
        offered = [tool.model_dump() for tool in request.tools or ()]
        yield Question((), tuple(offered)), _reply(mount, response, [])


def _text_deltas(events: list[EmittedEvent], text: str) -> list[str]:
    """The pieces of text that were shown; of answers at once, those of the answer with this text.

    Source: amplifier-foundation, docs/provider-streaming-contract.md.
    """
    by_id: dict[str, list[str]] = {}
    for _, name, payload in events:
        if name == "llm:stream_block_delta" and payload["block_type"] == "text":
            by_id.setdefault(payload["request_id"], []).append(payload["text"])
    same = [pieces for pieces in by_id.values() if "".join(pieces) == text]
    return same[0] if same else [piece for pieces in by_id.values() for piece in pieces]
