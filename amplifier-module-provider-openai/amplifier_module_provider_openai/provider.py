"""The provider that Amplifier mounts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from amplifier_core import ModuleCoordinator
from amplifier_core.message_models import ChatRequest, ChatResponse, ToolCall
from amplifier_core.models import ModelInfo, ProviderInfo
from amplifier_core.utils import RetryConfig
from openai import AsyncOpenAI

from . import apply_patch, models
from ._capabilities import UNKNOWN, ModelCapabilities
from ._response_handling import convert_response, without_ids
from .completion import Completion
from .config import Settings
from .credentials import QUESTION_TIMEOUT, client_arguments, url_in_use
from .endpoint import Endpoint, endpoint_of
from .errors import is_cloudflare_page
from .history import read_field
from .info import provider_info
from .outbox import Outbox
from .protocol import knowledge_of
from .responses_input import InputWriter
from .responses_request import (
    ResponsesContext,
    is_chaining,
    linked_response,
    request_params,
    responses_tools,
)
from .tls import http_client
from .tool_choice import offer_of

logger = logging.getLogger(__name__)
_HINT_TIMEOUT = 3.0
# Shorter keys are words like "local", which guard nothing and occur in any sentence.
_SHORTEST_SECRET = 8


class OpenAIProvider:
    """OpenAI's models by the Responses API, other servers' by whichever protocol they speak.

    Amplifier finds streaming in events, not in a method of this class: an attribute
    `stream` would send its loops down another path.
    """

    name = "openai"
    api_label = "OpenAI"

    def __init__(
        self,
        api_key: str | None = None,
        *,
        config: dict[str, Any] | None = None,
        coordinator: ModuleCoordinator | None = None,
        client: AsyncOpenAI | None = None,
        add_cost: Callable[[Decimal | None], None] | None = None,
    ) -> None:
        self.config = config or {}
        self.coordinator = coordinator
        self.settings = Settings.from_config(self.config)
        self._api_key = api_key
        self._client = client
        self._add_cost = add_cost or (lambda _cost: None)
        self._read_settings(self.settings)
        self._reset_chain_on_next_request = False
        self.has_kept_connections = False
        self._apply_patch_native = False
        self._native_call_ids: set[str] = set()
        self._repaired_tool_ids: set[str] = set()

    def _read_settings(self, settings: Settings) -> None:
        """Attributes that subclasses set and others read."""
        self.base_url = settings.base_url
        self.default_model = settings.default_model
        self.priority = settings.priority
        self.use_streaming = settings.use_streaming
        self.raw = settings.raw
        self.timeout = settings.timeout
        self.enable_long_context = settings.enable_long_context
        self.enable_response_chaining = settings.enable_response_chaining
        self._max_concurrent_requests = settings.max_concurrent_requests
        self._retry_config = RetryConfig(
            max_retries=settings.max_retries,
            initial_delay=settings.min_retry_delay,
            max_delay=settings.max_retry_delay,
            jitter=settings.retry_jitter,
        )

    @property
    def client(self) -> AsyncOpenAI:
        """The SDK's client, made on first use. Raises ValueError without a key for OpenAI."""
        if self._client is None:
            arguments = client_arguments(self._api_key, self.base_url)
            self._client = AsyncOpenAI(**arguments, max_retries=0, http_client=http_client())
            logger.info("%s requests go to %s", self.name, self.endpoint().base_url)
        return self._client

    async def close(self) -> None:
        """Close the client if there is one; may be called more than once."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def complete(self, request: ChatRequest, **kwargs: Any) -> ChatResponse:
        """Answer a request; keyword arguments are listed in the README. Raises LLMError."""
        return await Completion(self, request, kwargs).run()

    def parse_tool_calls(self, response: ChatResponse) -> list[ToolCall]:
        """The tool calls of an answer."""
        return response.tool_calls or []

    def get_info(self) -> ProviderInfo:
        """Name, limits and config fields; asks no server and needs no key."""
        known = self._capabilities(self.default_model)
        context = self._context_window()
        limit_of = models.output_limit_of if self._is_elsewhere else models.openai_output_limit
        limit = limit_of(self.settings, context, known)
        return provider_info(
            model=self.default_model,
            timeout=self.timeout,
            context_window=context
            or known.advertised_context(long_context=self.enable_long_context),
            max_output_tokens=limit,
        )

    def get_model_info(self) -> ModelInfo:
        """The default model, with the limits that a session's token budget is made from."""
        defaults = self.get_info().defaults
        return ModelInfo(
            id=self.default_model,
            display_name=models.display_name(self.default_model),
            context_window=defaults["context_window"],
            max_output_tokens=defaults["max_output_tokens"],
            capabilities=list(self._capabilities(self.default_model).capability_tags),
        )

    def _context_window(self) -> int | None:
        """The configured one, or what the server told if that is less; in tokens."""
        told = knowledge_of(self._address()).context_window(self.default_model)
        known = [size for size in (told, self.settings.context_window) if size]
        return min(known, default=None)

    async def list_models(self) -> list[ModelInfo]:
        """OpenAI's agent models, or all that another server has. Errors of the SDK propagate."""
        cards = (await self.client.models.list(timeout=QUESTION_TIMEOUT)).data or []
        if not self.endpoint().is_custom:
            return models.openai_models(cards, self.settings, self._capabilities)
        told = {card.id: models.context_of(card) for card in cards}
        if any(size is None for size in told.values()):
            whole = await models.server_context(self.client)
            told = {name: size or whole for name, size in told.items()}
        knowledge_of(self.endpoint()).learn_models(told)
        return models.served_models(told, self.settings)

    async def served_hint(self, model: str) -> str:
        """One sentence for people whose model the server does not have."""
        try:
            async with asyncio.timeout(_HINT_TIMEOUT):
                served = ", ".join(card.id for card in (await self.client.models.list()).data)
        except Exception:  # noqa: BLE001
            served = "unknown, its model list failed"
        return (
            f"Model {model!r} is not served by {self.endpoint().base_url}; served: "
            f"{served or 'nothing'}. Set default_model of this entry; "
            "if routing picked this entry by mistake, give it an `id:`."
        )

    # What one completion needs of its provider.

    def endpoint(self) -> Endpoint:
        """Where requests go now; a subclass may have changed it since construction."""
        if self.always_responses:
            return replace(endpoint_of(str(self.client.base_url)), is_azure=True)
        return self._address()

    def _address(self) -> Endpoint:
        client = self._client
        return endpoint_of(url_in_use(self.base_url) if client is None else str(client.base_url))

    @property
    def _is_elsewhere(self) -> bool:
        """Whether requests go to neither OpenAI nor Azure; known without making the client."""
        return self._address().is_custom and not self.always_responses

    def without_secrets(self, text: str) -> str:
        """The text without this provider's key, which a server may have sent back."""
        key = self._api_key
        if not isinstance(key, str) or len(key) < _SHORTEST_SECRET:
            return text
        return text.replace(key, "[api_key]")

    @property
    def always_responses(self) -> bool:
        """A subclass with a client of its own has chosen its server, and speaks Responses."""
        return type(self).client is not OpenAIProvider.client

    @property
    def retry_config(self) -> RetryConfig:
        """How often and how patiently to try again."""
        return self._retry_config

    @property
    def max_concurrent_requests(self) -> int:
        """Requests that this process may have under way; 0 for no limit."""
        return self._max_concurrent_requests

    @property
    def repaired_tool_ids(self) -> set[str]:
        """Ids of calls whose repair has been reported."""
        return self._repaired_tool_ids

    def outbox(self) -> Outbox:
        """Where the events of one call go; nowhere without a coordinator."""
        return Outbox(getattr(self.coordinator, "hooks", None))

    def responses_params(
        self, request: ChatRequest, options: Mapping[str, Any], model: str, endpoint: Endpoint
    ) -> dict[str, Any]:
        """Parameters of a Responses request."""
        skip_chain, self._reset_chain_on_next_request = self._reset_chain_on_next_request, False
        context = replace(self._context(model, endpoint), skip_chain=skip_chain)
        previous = linked_response(request, options, self.settings, context)
        items = self._writer(options, context, linked=bool(previous)).write(request.messages)
        offer = offer_of(request, options, custom=endpoint.is_custom)
        offer = replace(offer, tools=self._convert_tools_from_request(offer.tools))
        return request_params(
            request, options, self.settings, context, items=items, offer=offer, previous=previous
        )

    def unlinked_input(
        self, request: ChatRequest, options: Mapping[str, Any], model: str, endpoint: Endpoint
    ) -> list[dict[str, Any]]:
        """The `input` of a Responses request when OpenAI no longer has the answers before it."""
        writer = self._writer(options, self._context(model, endpoint), linked=False)
        return writer.write(request.messages)

    def _context(self, model: str, endpoint: Endpoint) -> ResponsesContext:
        return ResponsesContext(
            model=model,
            capabilities=self._capabilities(model),
            endpoint=endpoint,
            chaining=self.enable_response_chaining,
        )

    def _writer(
        self, options: Mapping[str, Any], context: ResponsesContext, *, linked: bool
    ) -> InputWriter:
        custom = context.endpoint.is_custom
        chaining = is_chaining(options, context.capabilities, setting=context.chaining)
        return InputWriter(
            self._native_call_ids,
            with_reasoning=not chaining and not custom,
            explicit_types=custom,
            mends=True,
            linked=linked,
        )

    def converted(self, response: Any, endpoint: Endpoint) -> ChatResponse:
        """A Responses answer; from another server without the ids, which mean nothing to OpenAI."""
        answer = self._convert_to_chat_response(response)
        return without_ids(answer) if endpoint.is_custom else answer

    def priced(self, answer: ChatResponse, model: object, endpoint: Endpoint) -> ChatResponse:
        """The answer with its cost in USD, where OpenAI or Azure sends the bill."""
        if answer.usage is None or endpoint.is_custom or not isinstance(model, str):
            return answer
        from . import compute_cost  # noqa: PLC0415  # the package's name is what gets replaced

        cost = compute_cost(
            model,
            prompt_tokens=answer.usage.input_tokens,
            completion_tokens=answer.usage.output_tokens,
            cached_tokens=answer.usage.cache_read_tokens or 0,
        )
        if cost is not None:
            answer.usage = answer.usage.model_copy(update={"cost_usd": cost})
            self._add_cost(cost)
        return answer

    # Subclasses override or call these.

    def _convert_to_chat_response(self, response: Any) -> ChatResponse:
        """Every Responses answer passes here, and here alone it gets its usage and cost."""
        answer = convert_response(response, native_call_ids=self._native_call_ids)
        return self.priced(answer, read_field(response, "model"), self.endpoint())

    def _convert_messages(self, messages: Iterable[Any]) -> list[dict[str, Any]]:
        return InputWriter(self._native_call_ids).write(messages)

    def _convert_tools_from_request(self, tools: Iterable[Any]) -> list[dict[str, Any]]:
        specs = list(tools)
        named = {read_field(spec, "name") for spec in specs}
        if apply_patch.NAME in named and not self._apply_patch_native:
            self._apply_patch_native = self._has_native_apply_patch()
        native = self._apply_patch_native and not self.endpoint().is_custom
        return responses_tools(specs, native_apply_patch=native)

    def _has_native_apply_patch(self) -> bool:
        ask = getattr(self.coordinator, "get_capability", None)
        return ask is not None and ask("apply_patch.engine") == "native"

    _is_cloudflare_challenge = staticmethod(is_cloudflare_page)

    def _model_may_reason(self, model: str) -> bool:
        return self._capabilities(model).supports_reasoning

    def _model_id_to_display_name(self, model: str) -> str:
        return models.display_name(model)

    def _capabilities(self, model: str) -> ModelCapabilities:
        """Of OpenAI's models; elsewhere a name says nothing, it may be an alias."""
        if self._is_elsewhere:
            return UNKNOWN
        from . import get_capabilities  # noqa: PLC0415  # the package's name is what gets replaced

        return get_capabilities(model)
