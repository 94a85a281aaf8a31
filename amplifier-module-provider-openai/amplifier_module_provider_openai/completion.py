"""One `complete()`: repair, choice of protocol, attempts with backoff, events."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import openai
from amplifier_core.llm_errors import ContextLengthError, LLMError
from amplifier_core.message_models import ChatRequest, ChatResponse, Usage
from amplifier_core.utils.retry import retry_with_backoff

from . import chat, payloads, protocol, responses
from ._constants import DEFAULT_TIMEOUT, PROTOCOL_FALLBACK, STREAM_EVENTS
from .asked import asked_switch
from .chat_request import chat_params
from .continuation import continue_response
from .errors import Attempt, context_size_of, is_about_model, kernel_error
from .gate import concurrency_payload, request_slot
from .native import apart_from_the_callers, closed_unanswered, scrub
from .outbox import Note
from .repair import repair_history
from .reply import Reply
from .responses_request import _validate_gpt_5_5_pro_effort, reasoning_of
from .stream_events import BlockEvents
from .tool_calls import refuse_cut_calls

if TYPE_CHECKING:
    from .provider import OpenAIProvider

logger = logging.getLogger(__name__)
T = TypeVar("T")
# Seconds within which a dead connection shows; a server that breaks later has begun to work.
_DEAD_WITHIN = 1.0


class Completion:
    """The state of one call; `options` are the keyword arguments of `complete()`."""

    def __init__(
        self, provider: OpenAIProvider, request: ChatRequest, options: Mapping[str, Any]
    ) -> None:
        self.provider, self.request, self.options = provider, request, options
        self.model: str = options.get("model") or request.model or provider.default_model
        self.endpoint = provider.endpoint()
        self.outbox = provider.outbox()
        self.background = bool(options.get("background"))
        self.stream = payloads.wants_stream(request, provider) and not self.background
        self.request_id = str(uuid4())
        self._stream_id = self.request_id
        self._events = BlockEvents(None)
        self._known = protocol.knowledge_of(self.endpoint)
        configured = provider.settings.use_responses_api
        self._setting = asked_switch(options, "use_responses_api", configured)
        self._tried_before: str | None = None
        self._on_hearsay = False  # it was another call that tried, and may have been mistaken
        self._chat_is_missing = False
        self._choice = self._choose()
        self._params: dict[str, Any] = {}
        # OpenAI has begun to answer and will bill it: another attempt would be paid for again.
        self._accepted = False
        self.spent: Usage | None = None
        self._limit: asyncio.Timeout | None = None

    async def run(self) -> ChatResponse:
        """Raises LLMError, after the retries that its kind is worth."""
        if not self.endpoint.is_custom:
            reasoning = reasoning_of(self.request, self.options, self.provider.settings)
            _validate_gpt_5_5_pro_effort(self.model, reasoning)
        await self._repair()
        self._params = self._build()
        asked = partial(payloads.request_payload, self, self._params)
        await self.outbox.tell("llm:request", asked)
        try:
            with apart_from_the_callers():
                return await self._answered(time.monotonic())
        finally:
            self.outbox.cancel()

    async def _answered(self, begun: float) -> ChatResponse:
        try:
            reply = await retry_with_backoff(
                self._attempt, self.provider.retry_config, on_retry=self._tell_retry
            )
        except LLMError as error:
            logger.error("%s API error: %s", self.provider.api_label, error)  # noqa: TRY400
            failed = partial(payloads.failure_payload, self, error, begun)
            await self.outbox.tell("llm:response", failed)
            raise
        await self.outbox.tell(
            "llm:response", partial(payloads.response_payload, self, reply, begun)
        )
        return reply.response

    async def _repair(self) -> None:
        repairs = repair_history(self.request, self.provider.repaired_tool_ids)
        if repairs.fresh:
            logger.warning("Repaired %d tool calls without a result", len(repairs.fresh))
            told = partial(repairs.payload, self.provider.name)
            await self.outbox.tell("provider:tool_sequence_repaired", told)

    async def _tell_retry(self, attempt: int, delay: float, error: LLMError) -> None:
        failed = partial(payloads.retry_payload, self, attempt, delay, error)
        await self.outbox.tell("provider:retry", failed)

    def _choose(self) -> protocol.Choice:
        if self._chat_is_missing:
            return protocol.Choice("responses")
        if self._tried_before:
            return protocol.Choice("chat", or_responses=self._on_hearsay)
        return protocol.choose(
            self._setting,
            self.endpoint,
            self.request,
            stop=self.provider.settings.stop,
            always_responses=self.provider.always_responses,
        )

    def _build(self) -> dict[str, Any]:
        if self._choice.protocol == "responses":
            return self.provider.responses_params(
                self.request, self.options, self.model, self.endpoint
            )
        return chat_params(
            self.request,
            self.options,
            self.provider.settings,
            model=self.model,
            endpoint=self.endpoint,
        )

    def _switch(self, choice: protocol.Choice) -> None:
        if choice.protocol != self._choice.protocol:
            self._choice = choice
            self._params = self._build()
        self._choice = choice

    async def _attempt(self) -> Reply:
        finding_out = self._choice.may_fall_back and await self._known.wait_for_others()
        if self._choice.may_fall_back and not finding_out:
            self._tried_before = self._known.suspected
            self._on_hearsay = self._tried_before is not None
        self._switch(self._choose())
        try:
            return await self._attempt_in_slot()
        finally:
            if finding_out:
                self._known.settle(None)

    async def _attempt_in_slot(self) -> Reply:
        limit = self.provider.max_concurrent_requests
        async with request_slot(limit):
            if self.outbox.hears("provider:concurrency"):
                load = concurrency_payload(self.provider.name, self.model, limit)
                self.outbox.put(Note("provider:concurrency", load))
            self._events = self._new_events()
            try:
                async with asyncio.timeout(self._timeout()) as self._limit:
                    return await self._ask()
            except Exception as error:
                failure = await self._explained(error)
                await self._events.abort(type(error).__name__, str(failure))
                if failure is error:
                    raise
                raise failure from error

    def _new_events(self) -> BlockEvents:
        """Events under the call's id; a fresh one when an earlier attempt has shown something."""
        if self._events.begun:
            self._stream_id = str(uuid4())
        shown = self.stream and self.outbox.hears(*STREAM_EVENTS)
        return BlockEvents(self.outbox if shown else None, self._stream_id)

    def _timeout(self) -> float | None:
        """Seconds for an attempt; None leaves it to the silence that a stream may keep.

        The client itself has no limit, so that one of the two always holds.
        """
        if self.background:
            return self.provider.settings.background_timeout
        asked = self.request.timeout or self.provider.timeout
        return asked or (None if self.stream else DEFAULT_TIMEOUT)

    def _idle_timeout(self) -> float:
        """Seconds of silence in a stream; 0 for as long as the attempt may take."""
        asked = self.provider.settings.stream_idle_timeout
        return asked or (0.0 if self._timeout() else DEFAULT_TIMEOUT)

    async def _ask(self) -> Reply:
        if self._choice.protocol == "responses":
            return await self._ask_responses()
        try:
            return await self._on_live_connection(self._ask_chat)
        except openai.APIStatusError as error:
            if not self._choice.or_responses or not protocol.is_missing_endpoint(error):
                raise
        self._do_without_chat()
        return await self._ask_responses()

    async def _ask_responses(self) -> Reply:
        exchange = self._exchange()
        try:
            received = await self._on_live_connection(partial(responses.ask, exchange))
        except Exception as error:
            reason = self._reason_for_chat(error)
            if reason is None:
                raise
            await self._fall_back(self.provider.without_secrets(reason), error)
        else:
            self._accepted = True
            return await self._finished(exchange, *received)
        # Not within the `except`: an error of Chat would take this one for its cause.
        return await self._ask_chat()

    def _reason_for_chat(self, error: Exception) -> str | None:
        if self._known.has_no_chat and protocol.is_missing_endpoint(error):
            self._known.forget()
        if self._events.any_delta or not self._choice.may_fall_back:
            return None
        return protocol.says_wrong_protocol(error, proven=self._known.has_responses)

    def _do_without_chat(self) -> None:
        self._chat_is_missing, self._tried_before = True, None
        self._switch(protocol.Choice("responses"))
        if self._on_hearsay:
            return
        logger.warning(
            "%s has no Chat Completions, so this request goes by Responses: without its stop "
            "strings, and with an output format that the server may not heed.",
            self.endpoint.base_url,
        )

    async def _on_live_connection(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask once more at once if a connection kept from an earlier call was dead.

        llama.cpp (b11549) promises to keep connections after a stream and closes them. Such a
        break comes at once; later the server may be at work already, and OpenAI would bill twice.
        """
        kept = self.endpoint.is_custom and self.provider.has_kept_connections
        begun = time.monotonic()
        try:
            return await ask()
        except openai.APIConnectionError as error:
            late = time.monotonic() - begun > _DEAD_WITHIN
            if not kept or late or self._events.begun or not closed_unanswered(error):
                raise
        return await ask()

    async def _ask_chat(self) -> Reply:
        try:
            reply = await chat.ask(
                self.provider.client,
                self._params,
                stream=self.stream,
                events=self._events,
                idle_timeout=self._idle_timeout(),
                opened=self._chat_works,
            )
        except Exception as error:
            if protocol.is_missing_endpoint(error):
                self._known.forget()
            raise
        response = self.provider.priced(reply.response, reply.model, self.endpoint)
        return replace(reply, response=self._delivered(response))

    def _delivered(self, response: ChatResponse) -> ChatResponse:
        """The answer, priced. Raises InvalidToolCallError if it has nothing but a call cut off."""
        self.spent = response.usage
        refuse_cut_calls(response)
        return response

    def _chat_works(self) -> None:
        self.provider.has_kept_connections = True
        if self._tried_before:
            self._known.settle("chat")

    def _responses_work(self) -> None:
        self.provider.has_kept_connections = True
        self._known.has_no_chat |= self._chat_is_missing
        if self._choice.may_fall_back:
            self._known.settle("responses")

    def _exchange(self) -> responses.Exchange:
        return responses.Exchange(
            provider=self.provider.name,
            client=self.provider.client,
            params=self._params,
            events=self._events,
            tell=self.outbox.tell,
            opened=self._responses_work,
            without_secrets=self.provider.without_secrets,
            unlinked_input=partial(
                self.provider.unlinked_input, self.request, self.options, self.model, self.endpoint
            ),
            stream=self.stream,
            idle_timeout=self._idle_timeout(),
            lenient=self.endpoint.is_custom and not self._choice.may_fall_back,
        )

    async def _finished(
        self, exchange: responses.Exchange, response: Any, rate_limits: dict[str, int | str]
    ) -> Reply:
        if self.background:
            response = await responses.poll(exchange, response, interval=self._poll_interval())
        if not self.endpoint.is_custom:
            response = await self._continued(exchange, response)
        return Reply(
            self._delivered(self.provider.converted(response, self.endpoint)),
            self.model,
            raw=payloads.dump_of(response),
            rate_limits=rate_limits,
            continuation_count=getattr(response, "continuation_count", None),
        )

    async def _continued(self, exchange: responses.Exchange, response: Any) -> Any:
        """All of an answer: the attempt's time is over with its beginning, which stays."""
        if self._limit is not None:
            self._limit.reschedule(None)
        return await continue_response(exchange, response, limit=self._timeout())

    def _poll_interval(self) -> float:
        asked = self.options.get("poll_interval")
        return float(self.provider.settings.poll_interval if asked is None else asked)

    async def _fall_back(self, reason: str, error: Exception) -> None:
        self._tried_before = reason
        self._known.suspect(reason)
        self._switch(protocol.Choice("chat"))
        if self._events.begun:
            self._events = self._new_events()
        if not self._known.told:
            self._known.told = True
            await self._tell_fallback(reason, error)

    async def _tell_fallback(self, reason: str, error: Exception) -> None:
        logger.info(
            "%s: %s, so Chat Completions is used from now on. "
            "Set `use_responses_api: false` in this provider's config to skip the attempt.",
            self.endpoint.base_url,
            reason,
        )
        told = partial(payloads.fallback_payload, self, reason, error)
        await self.outbox.tell(PROTOCOL_FALLBACK, told)

    async def _explained(self, error: Exception) -> LLMError:
        scrub(error, self.provider.without_secrets)
        failure = kernel_error(error, self._made_attempt())
        if self.endpoint.is_custom and isinstance(failure, ContextLengthError):
            self._learn_context(error)
        said = str(failure)
        if self.endpoint.is_custom and failure.status_code in {400, 404} and is_about_model(error):
            said = f"{said} {await self.provider.served_hint(self.model)}"
        failure.args = (self.provider.without_secrets(said),)
        failure.retryable = failure.retryable and not self._accepted
        return failure

    def _made_attempt(self) -> Attempt:
        return Attempt(
            provider=self.provider.name,
            endpoint=self.endpoint,
            path="responses" if self._choice.protocol == "responses" else "chat/completions",
            model=self.model,
            timeout=self._timeout() or 0.0,
            max_retry_delay=self.provider.settings.max_retry_delay,
            streaming=self._events.begun,
            tried_before=self._tried_before,
        )

    def _learn_context(self, error: Exception) -> None:
        """From now on the session plans with what the server has room for."""
        size = context_size_of(error)
        if size:
            self._known.context_windows[self.model] = size
