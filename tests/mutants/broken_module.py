"""Modules that differ from the real one in a single fault, each by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias
from unittest.mock import PropertyMock, patch

from amplifier_core import ChatRequest, ChatResponse, LLMError, ModelInfo
from amplifier_core.message_models import ThinkingBlock
from amplifier_core.utils import RetryConfig
from amplifier_module_provider_openai import OpenAIProvider, chat_answer, chat_request, protocol
from amplifier_module_provider_openai.outbox import Outbox
from amplifier_module_provider_openai.stream_events import BlockEvents
from amplifier_module_provider_openai.tool_calls import read_arguments

Complete: TypeAlias = Callable[[ChatRequest], Awaitable[ChatResponse]]
Patch: TypeAlias = AbstractContextManager[Any]
#: What is emitted in place of an event, by its name and payload.
Change: TypeAlias = Callable[[str, dict[str, Any]], list[dict[str, Any]]]

_init = Outbox.__init__
_start = BlockEvents.start
_made = OpenAIProvider.__init__
_complete = OpenAIProvider.complete
_list_models = OpenAIProvider.list_models
_parse = OpenAIProvider.parse_tool_calls


def broken(fault: str) -> Patch:
    """The module with this fault, for as long as the context lasts."""
    return FAULTS[fault]()


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


def _forgiving(raw: object) -> tuple[dict[str, Any], None]:
    return read_arguments(raw)[0], None


def _inventing(self: OpenAIProvider, response: ChatResponse) -> list[Any]:
    invented = {"arguments": {"city": "nowhere"}}
    return [call.model_copy(update=invented) for call in _parse(self, response)]


async def _boasting(self: OpenAIProvider) -> list[ModelInfo]:
    listed = await _list_models(self)
    return [model.model_copy(update={"context_window": 200_000}) for model in listed]


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
    "hands cut calls on": lambda: patch.object(chat_answer, "read_arguments", _forgiving),
    "tells arguments": lambda: patch.object(BlockEvents, "start", _telling_arguments),
    "sends empty lists": lambda: patch.object(
        chat_request, "_tool_params", lambda *_, **__: {"tools": []}
    ),
    "invents arguments": lambda: patch.object(OpenAIProvider, "parse_tool_calls", _inventing),
    "boasts of its context": lambda: patch.object(OpenAIProvider, "list_models", _boasting),
    "never retries": lambda: _having("retry_config", RetryConfig(max_retries=0)),
    "knows no limit": lambda: _having("max_concurrent_requests", 0),
    "never falls back": lambda: _having("always_responses", True),  # noqa: FBT003
    "falls back always": lambda: patch.object(protocol, "says_wrong_protocol", lambda _: "why not"),
    "forgets what it found out": lambda: patch.object(
        protocol, "knowledge_of", lambda _: protocol.Knowledge()
    ),
    "speaks Chat always": lambda: patch.object(
        protocol, "choose", lambda *_, **__: protocol.Choice("chat")
    ),
}
