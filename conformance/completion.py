"""What a server must send, as types: a chat completion, its chunks, the model list.

Strict where a client relies on it, silent on everything else that a server may add.
Source: OpenAI's openapi 2.3.0, `CreateChatCompletionResponse`,
`CreateChatCompletionStreamResponse`, `CompletionUsage`, `ListModelsResponse`.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance.conversation import parsed
from conformance.outcome import Malformed, about_form

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
_NO_JSON = re.compile("NaN|Infinity")
Count = Annotated[int, Field(ge=0)]
Byte = Annotated[int, Field(ge=0, le=255)]


class Received(BaseModel):
    """Something that a server sent."""

    model_config = ConfigDict(strict=True, frozen=True)

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse `text`. `Malformed` names each place where it is not as it must be."""
        if _NO_JSON.search(text):  # pydantic takes them for numbers
            with about_form():
                parsed(text, "the body")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}"
                for fault in error.errors()
            )
            raise Malformed(f"not a {cls.__name__}: {faults} in {text[:300]!r}") from error

    @classmethod
    def of(cls, value: Any) -> Self:
        """The same of what is parsed already, and stands in something larger."""
        return cls.read(json.dumps(value))


class TokenUsage(Received):
    """Tokens, as the server counted them."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count


class CachedTokens(Received):
    """Of the tokens of the prompt."""

    cached_tokens: Count | None = None


class ReasoningTokens(Received):
    """Of the tokens of the answer."""

    reasoning_tokens: Count | None = None


class DetailedUsage(TokenUsage):
    """Tokens, and what is told of them beside their number."""

    prompt_tokens_details: CachedTokens | None = None
    completion_tokens_details: ReasoningTokens | None = None

    @property
    def cached(self) -> int | None:
        """How many tokens of the prompt came from a cache."""
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None

    @property
    def thought(self) -> int | None:
        """How many tokens of the answer were reasoning."""
        told = self.completion_tokens_details
        return told.reasoning_tokens if told else None


class Likely(Received):
    """A token that might have come, with the logarithm of its probability."""

    token: str
    logprob: Annotated[float, Field(le=0)]
    bytes: list[Byte] | None = None


class Chosen(Likely):
    """A token that came, and what might have come in its place."""

    top_logprobs: list[Likely]


class Logprobs(Received):
    """How probable the tokens of an answer, or of a piece of it, were."""

    content: list[Chosen] | None = None


class Function(Received):
    """A function call: `arguments` is JSON text."""

    name: str
    arguments: str


class FunctionCall(Received):
    """A whole tool call."""

    id: str
    type: Literal["function"]
    function: Function


class _Spoken(Received):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None

    @property
    def thought(self) -> str:
        """Reasoning under either name that servers use; the OpenAI schema has none."""
        return self.reasoning_content or self.reasoning or ""


class AssistantMessage(_Spoken):
    """The message of a whole completion."""

    role: Literal["assistant"]
    tool_calls: list[FunctionCall] | None = None


class Choice(Received):
    """One answer of a whole completion."""

    index: int
    message: AssistantMessage
    finish_reason: FinishReason


class Completion(Received):
    """A whole chat completion."""

    id: str
    object: Literal["chat.completion"]
    model: str
    choices: Annotated[list[Choice], Field(min_length=1)]
    usage: TokenUsage | None = None


class FunctionFragment(Received):
    """A piece of a function call; pieces of `arguments` are concatenated."""

    name: str | None = None
    arguments: str | None = None


class CallFragment(Received):
    """A piece of a tool call; `index` says of which."""

    index: int
    id: str | None = None
    type: str | None = None
    function: FunctionFragment = FunctionFragment()


class Delta(_Spoken):
    """What a chunk adds."""

    tool_calls: list[CallFragment] | None = None


class ChunkChoice(Received):
    """What a chunk adds to one answer."""

    index: int
    delta: Delta
    finish_reason: FinishReason | None = None


class Chunk(Received):
    """One event of a streamed chat completion.

    The check streaming.envelope judges its envelope, so that a slip there doesn't hide the rest.
    """

    id: str
    choices: list[ChunkChoice]
    usage: TokenUsage | None = None


class ModelMeta(Received):
    """What llama.cpp tells of a model."""

    n_ctx: int | None = None


class Model(Received):
    """One served model."""

    id: str
    object: Literal["model"]
    max_model_len: int | None = None
    meta: ModelMeta | None = None

    @property
    def context(self) -> int | None:
        """The context window in tokens, where vLLM or llama.cpp tells it."""
        return self.max_model_len or (self.meta.n_ctx if self.meta else None)


class ModelList(Received):
    """What a server says it serves."""

    object: Literal["list"]
    data: list[Model]


class ErrorDetail(Received):
    """What went wrong."""

    message: Annotated[str, Field(min_length=1)]


class ErrorBody(Received):
    """The body of an error status: an object as OpenAI sends it, or a bare string."""

    error: ErrorDetail | Annotated[str, Field(min_length=1)]

    @property
    def message(self) -> str:
        """The words for people, whichever form they came in."""
        return self.error if isinstance(self.error, str) else self.error.message
