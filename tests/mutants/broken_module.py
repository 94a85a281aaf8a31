"""Modules that differ from the real one in a single fault, each by its name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, TypeAlias
from unittest.mock import PropertyMock, patch
from weakref import WeakKeyDictionary

from amplifier_core import ChatRequest, ChatResponse, LLMError, ModelInfo
from amplifier_core.llm_errors import (
    LLMTimeoutError,
    NetworkError,
    ProviderUnavailableError,
    RateLimitError,
    StreamError,
)
from amplifier_core.message_models import TextBlock, ThinkingBlock
from amplifier_core.utils import RetryConfig
from amplifier_module_provider_openai import (
    OpenAIProvider,
    chat_answer,
    chat_messages,
    chat_request,
    completion,
    errors,
    gate,
    protocol,
)
from amplifier_module_provider_openai.completion import Completion
from amplifier_module_provider_openai.endpoint import Endpoint
from amplifier_module_provider_openai.errors import Attempt, kernel_error
from amplifier_module_provider_openai.gate import request_slot
from amplifier_module_provider_openai.history import Turn, answered_calls
from amplifier_module_provider_openai.outbox import Outbox
from amplifier_module_provider_openai.repair import Repairs
from amplifier_module_provider_openai.stream_events import BlockEvents
from amplifier_module_provider_openai.tool_calls import Call, read_arguments

from tests.mutants.broken_unsaid import UNSAID

Complete: TypeAlias = Callable[[ChatRequest], Awaitable[ChatResponse]]
Patch: TypeAlias = AbstractContextManager[Any]
#: What is emitted in place of an event, by its name and payload.
Change: TypeAlias = Callable[[str, dict[str, Any]], list[dict[str, Any]]]

_choose = protocol.choose
_fall_back = Completion._fall_back  # noqa: SLF001
_wire_messages = chat_messages._wire_messages  # noqa: SLF001
_init = Outbox.__init__
_start = BlockEvents.start
_made = OpenAIProvider.__init__
_complete = OpenAIProvider.complete
_list_models = OpenAIProvider.list_models
_parse = OpenAIProvider.parse_tool_calls


def broken(fault: str) -> Patch:
    """The module with this fault, for as long as the context lasts."""
    return (FAULTS | UNSAID)[fault]()


class _Changed:
    """Hooks to which each event is emitted as often, and with what, as `change` says."""

    def __init__(self, hooks: Any, change: Change) -> None:
        self._hooks, self._change = hooks, change

    async def emit(self, name: str, payload: dict[str, Any]) -> None:
        for one in self._change(name, payload):
            await self._hooks.emit(name, one)


def _emitting(change: Change) -> Patch:
    def init(self: Outbox, hooks: Any) -> None:
        _init(self, hooks and _Changed(hooks, change))

    return patch.object(Outbox, "__init__", init)


def _silent(event: str) -> Patch:
    return _emitting(lambda name, payload: [] if name == event else [payload])


def _twice(event: str) -> Patch:
    return _emitting(lambda name, payload: [payload] * (2 if name == event else 1))


def _without(key: str) -> Patch:
    return _emitting(lambda _, payload: [{k: v for k, v in payload.items() if k != key}])


def _with(**values: Any) -> Patch:
    return _emitting(
        lambda _, payload: [payload | {k: v for k, v in values.items() if k in payload}]
    )


def _completing(change: Callable[[ChatRequest, Complete], Awaitable[ChatResponse]]) -> Patch:
    """`complete()` goes the way that `change` goes with it."""

    async def complete(self: OpenAIProvider, request: ChatRequest, **options: Any) -> ChatResponse:
        return await change(request, lambda asked: _complete(self, asked, **options))

    return patch.object(OpenAIProvider, "complete", complete)


async def _streaming(request: ChatRequest, complete: Complete) -> ChatResponse:
    return await complete(request.model_copy(update={"metadata": None}))


async def _forgetting(request: ChatRequest, complete: Complete) -> ChatResponse:
    return await complete(request.model_copy(update={"messages": request.messages[-1:]}))


async def _leaking(request: ChatRequest, complete: Complete) -> ChatResponse:
    for message in request.messages:
        if isinstance(message.content, list):
            sealed = [b.content for b in message.content if isinstance(b, ThinkingBlock)]
            message.content = f"{sealed} Hello Ana."
    return await complete(request)


async def _levelling(request: ChatRequest, complete: Complete) -> ChatResponse:
    try:
        return await complete(request)
    except LLMError as error:
        raise LLMError("something went wrong") from error


async def _insisting(request: ChatRequest, complete: Complete) -> ChatResponse:
    try:
        return await complete(request)
    except LLMError as error:
        error.retryable = True
        raise


async def _swallowing(request: ChatRequest, complete: Complete) -> ChatResponse:
    try:
        return await complete(request)
    except (LLMError, asyncio.CancelledError):
        return ChatResponse(content=[])


async def _smoothing(request: ChatRequest, complete: Complete) -> ChatResponse:
    return (await complete(request)).model_copy(update={"finish_reason": "stop"})


def _mixing() -> Patch:
    answers: list[ChatResponse] = []

    async def mix(request: ChatRequest, complete: Complete) -> ChatResponse:
        answers.append(await complete(request))
        return answers[0]

    return _completing(mix)


def _inheriting() -> Patch:
    configs: list[Any] = []

    def init(self: OpenAIProvider, *args: Any, config: Any = None, **options: Any) -> None:
        configs.append(config)
        _made(self, *args, config=configs[-2:][0], **options)

    return patch.object(OpenAIProvider, "__init__", init)


def _telling_arguments(self: BlockEvents, index: int, block_type: Any, name: Any = None) -> None:
    _start(self, index, block_type, name)
    if block_type == "tool_use":
        self.delta(index, block_type, "{")


def _careless(block: Any, _: str | None) -> Call:
    arguments, _malformed = read_arguments(block.text.getvalue())
    return Call(block.call_id, block.name, arguments)


def _inventing(self: OpenAIProvider, response: ChatResponse) -> list[Any]:
    invented = {"arguments": {"city": "nowhere"}}
    return [call.model_copy(update=invented) for call in _parse(self, response)]


async def _boasting(self: OpenAIProvider) -> list[ModelInfo]:
    listed = await _list_models(self)
    return [model.model_copy(update={"context_window": 200_000}) for model in listed]


async def _never_waiting(_: protocol.Knowledge) -> bool:
    return False


async def _retrying(self: Completion, reason: str, error: Exception) -> None:
    await _fall_back(self, reason, error)
    await self.outbox.tell("provider:retry", dict)


async def _concluding(self: Completion, reason: str, error: Exception) -> None:
    await _fall_back(self, reason, error)
    protocol.knowledge_of(self.endpoint).settle("chat")


def _trusting(setting: Any, endpoint: Any, *args: Any, **options: Any) -> protocol.Choice:
    if protocol.knowledge_of(endpoint).has_responses:
        return protocol.Choice("responses")
    return _choose(setting, endpoint, *args, **options)


def _explaining(change: Callable[[LLMError], None]) -> Patch:
    """Each error of an attempt is what `change` makes of it."""

    def explain(error: BaseException, attempt: Attempt) -> LLMError:
        explained = kernel_error(error, attempt)
        change(explained)
        return explained

    return patch.object(completion, "kernel_error", explain)


def _nameless(error: LLMError) -> None:
    error.args = ("ReadError (no message)",)


def _hopeless(*kinds: type[LLMError]) -> Callable[[LLMError], None]:
    def give_up(error: LLMError) -> None:
        error.retryable = error.retryable and not isinstance(error, kinds)

    return give_up


def _hasty(error: LLMError) -> None:
    if isinstance(error, RateLimitError | ProviderUnavailableError):
        error.retry_after = None


def _one_sided(error: BaseException, attempt: Attempt) -> LLMError:
    return kernel_error(error, replace(attempt, tried_before=None))


async def _accepting_breaks(request: ChatRequest, complete: Complete) -> ChatResponse:
    try:
        return await complete(request)
    except (NetworkError, StreamError):
        return ChatResponse(content=[])


async def _waking_up_late(request: ChatRequest, complete: Complete) -> ChatResponse:
    try:
        return await complete(request)
    except LLMTimeoutError as error:
        raise LLMError("something went wrong") from error


@contextmanager
def _never_letting_go() -> Iterator[None]:
    """What was given up keeps its slot, of semaphores that are thrown away with the fault."""
    kept = []

    @asynccontextmanager
    async def keep(limit: int) -> AsyncIterator[None]:
        slot = request_slot(limit)
        kept.append(slot)
        await slot.__aenter__()
        yield
        await slot.__aexit__(None, None, None)

    with (
        patch.object(gate, "_semaphores", WeakKeyDictionary()),
        patch.object(completion, "request_slot", keep),
    ):
        yield


@contextmanager
def _mending_nothing() -> Iterator[None]:
    """Histories are sent as they are: unanswered calls, and results without their calls."""
    with (
        patch.object(completion, "repair_history", lambda *_: Repairs()),
        patch.object(chat_messages, "answered_calls", _only_answered),
    ):
        yield


def _only_answered(turn: Turn) -> Iterator[tuple[Call, Turn | None]]:
    return ((call, result) for call, result in answered_calls(turn) if result)


def _orphaned(turn: Turn, reasoning_replay: str) -> list[dict[str, Any]]:
    if turn.role == "tool":
        return [{"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}]
    return _wire_messages(turn, reasoning_replay)


def _interrupting(turn: Turn, reasoning_replay: str) -> list[dict[str, Any]]:
    if turn.role == "system":
        return [{"role": "system", "content": turn.text}]
    return _wire_messages(turn, reasoning_replay)


async def _leaking_ids(request: ChatRequest, complete: Complete) -> ChatResponse:
    for message in request.messages:
        response_id = (message.metadata or {}).get("openai:response_id")
        if response_id and isinstance(message.content, list):
            message.content = [*message.content, TextBlock(text=response_id)]
    return await complete(request)


def _having(name: str, value: Any) -> Patch:
    return patch.object(OpenAIProvider, name, PropertyMock(return_value=value))


FAULTS: dict[str, Callable[[], Patch]] = {
    "tells no response": lambda: _silent("llm:response"),
    "tells no usage": lambda: _with(usage={}),
    "ends no block": lambda: _silent("llm:stream_block_end"),
    "names no tool": lambda: _without("name"),
    "takes thoughts for text": lambda: _with(block_type="text"),
    "tells requests twice": lambda: _twice("llm:request"),
    "tells no repair": lambda: _silent("provider:tool_sequence_repaired"),
    "tells no abort": lambda: _silent("llm:stream_aborted"),
    "streams always": lambda: _completing(_streaming),
    "forgets the history": lambda: _completing(_forgetting),
    "leaks sealed thoughts": lambda: _completing(_leaking),
    "levels errors": lambda: _completing(_levelling),
    "calls errors retryable": lambda: _completing(_insisting),
    "takes cuts for ends": lambda: _completing(_smoothing),
    "swallows errors": lambda: _completing(_swallowing),
    "mixes answers up": _mixing,
    "takes the settings of the one before": _inheriting,
    "hands cut calls on": lambda: patch.object(chat_answer, "_read_call", _careless),
    "tells arguments": lambda: patch.object(BlockEvents, "start", _telling_arguments),
    "sends empty lists": lambda: patch.object(
        chat_request, "_tool_params", lambda *_, **__: {"tools": []}
    ),
    "invents arguments": lambda: patch.object(OpenAIProvider, "parse_tool_calls", _inventing),
    "boasts of its context": lambda: patch.object(OpenAIProvider, "list_models", _boasting),
    "never retries": lambda: _having("retry_config", RetryConfig(max_retries=0)),
    "knows no limit": lambda: _having("max_concurrent_requests", 0),
    "never falls back": lambda: _having("always_responses", True),  # noqa: FBT003
    "falls back always": lambda: patch.object(
        protocol, "says_wrong_protocol", lambda _, **_proven: "why not"
    ),
    "takes 410 for an error": lambda: patch.object(
        protocol, "_NO_SUCH_ENDPOINT", frozenset({405, 501})
    ),
    "takes refusals for errors": lambda: patch.object(
        protocol, "_complains_of_shape", lambda _: False
    ),
    "takes breaks for errors": lambda: patch.object(protocol, "transport_error", lambda _: None),
    "falls back on 503": lambda: patch.object(
        protocol, "_NO_SUCH_ENDPOINT", frozenset({405, 410, 501, 503})
    ),
    "falls back where nobody listens": lambda: patch.object(
        protocol, "never_connected", lambda _: False
    ),
    "calls a fallback a retry": lambda: patch.object(Completion, "_fall_back", _retrying),
    "concludes from a break": lambda: patch.object(Completion, "_fall_back", _concluding),
    "tells no fallback": lambda: _silent("provider:protocol_fallback"),
    "logs nothing": lambda: patch.object(completion.logger, "info"),
    "tells the last error only": lambda: patch.object(completion, "kernel_error", _one_sided),
    "finds out each time": lambda: patch.object(
        protocol.Knowledge, "wait_for_others", _never_waiting
    ),
    "trusts the first turn": lambda: patch.object(protocol, "choose", _trusting),
    "never learns anew": lambda: patch.object(protocol.Knowledge, "forget", lambda _: None),
    "takes all hosts for local": lambda: patch.object(
        Endpoint, "is_custom", PropertyMock(return_value=True)
    ),
    "takes all clients for its own": lambda: _having("always_responses", False),  # noqa: FBT003
    "hears no keyword": lambda: patch.object(
        completion, "asked_switch", lambda _, __, configured: configured
    ),
    "names no URL": lambda: _explaining(_nameless),
    "gives up on breaks": lambda: _explaining(_hopeless(NetworkError)),
    "gives up on 504": lambda: _explaining(_hopeless(ProviderUnavailableError)),
    "does not wait": lambda: _explaining(_hasty),
    "knows no long prompt": lambda: patch.object(errors, "is_context_overflow", lambda _: False),
    "reads no dates": lambda: patch.object(errors, "_seconds_until", lambda _: None),
    "takes breaks for ends": lambda: _completing(_accepting_breaks),
    "calls a timeout anything": lambda: _completing(_waking_up_late),
    "keeps slots": _never_letting_go,
    "mends nothing": _mending_nothing,
    "sends orphans": lambda: patch.object(chat_messages, "_wire_messages", _orphaned),
    "sends system messages anywhere": lambda: patch.object(
        chat_messages, "_wire_messages", _interrupting
    ),
    "leaks ids": lambda: _completing(_leaking_ids),
    "forgets what it found out": lambda: patch.object(
        protocol, "knowledge_of", lambda _: protocol.Knowledge()
    ),
    "speaks Chat always": lambda: patch.object(
        protocol, "choose", lambda *_, **__: protocol.Choice("chat")
    ),
}
