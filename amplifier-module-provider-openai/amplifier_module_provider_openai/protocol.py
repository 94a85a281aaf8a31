"""Which protocol a server is spoken to in, and when Responses gives way to Chat Completions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import openai
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import ChatRequest

from .broken import BrokenAnswerError, FailedAnswerError
from .endpoint import Endpoint
from .errors import is_about_model, is_context_overflow, is_unreadable, is_warming_up
from .native import body_of, never_connected, status_of, text_of, transport_error

Protocol = Literal["responses", "chat"]
# So long a call waits for another one that is finding out; after that it finds out by itself.
_PATIENCE = 2.0
_NO_SUCH_ENDPOINT = frozenset({405, 410, 501})
_RESPONSES_SHAPES = re.compile(
    r"input_text|output_text|cannot determine type of 'item'|'type' of tool must be 'function'"
    r"|(unknown|unexpected|unrecognized) (request )?(field|key|parameter|argument|property)"
)
# FastAPI tells the value it did not like under a key "input", whatever the field was.
_RESPONSES_FIELDS = re.compile(r"""["'`](input|instructions)[\\"'`]+(?!\s*:)|\bmessages\b""")
_NOT_KNOWN = re.compile(
    r"required|missing|unknown|unexpected|unrecognized|unsupported|not (supported|permitted)"
    r"|invalid type|must be an? "
)
_NOTHING_THERE = re.compile(
    r"<!?(html|doctype)|chat/completions|invalid url|no such route|unexpected endpoint",
    re.IGNORECASE,
)
_NOT_FOUND = frozenset(
    {"", "not found", "file not found", "page not found", "404 not found", "404 page not found"}
)


@dataclass(eq=False)
class Knowledge:
    """What this process has learnt about one base URL."""

    chat_only: bool = False
    has_responses: bool = False
    has_no_chat: bool = False
    told: bool = False
    context_windows: dict[str, int] = field(default_factory=dict)
    only_context_window: int | None = None
    finding_out: asyncio.Event | None = None
    suspected: str | None = None
    """Why the call that is finding out has turned to Chat; it is not settled until that answers."""
    loop: asyncio.AbstractEventLoop | None = None

    async def wait_for_others(self) -> bool:
        """Wait while another call finds out; True when this call is the one to find out.

        The wait ends when that call suspects something: a local model may take minutes to answer.
        """
        if self.chat_only or self.has_responses:
            return False
        loop = asyncio.get_running_loop()
        if self.finding_out is None or self.loop is not loop:
            self.finding_out, self.loop = asyncio.Event(), loop
            return True
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.finding_out.wait()
        except TimeoutError:
            return False
        return False

    def suspect(self, reason: str) -> None:
        """Responses seems to be missing: who waits for the call that is finding out may go on."""
        if self.finding_out is not None:
            self.suspected = reason
            self.finding_out.set()

    def settle(self, protocol: Protocol | None) -> None:
        """The server speaks this protocol; None: nobody knows yet, let others try."""
        if protocol == "chat":
            self.chat_only, self.has_responses = True, False
        elif protocol == "responses":
            self.has_responses = True
        if self.finding_out is not None:
            self.finding_out.set()
            self.finding_out = self.suspected = None

    def forget(self) -> None:
        """Another server may have taken the place of the one that was known."""
        self.chat_only = self.has_responses = self.has_no_chat = self.told = False
        self.context_windows.clear()
        self.only_context_window = None

    def learn_models(self, told: Mapping[str, int | None]) -> None:
        """The server's whole list of models, with their context windows as far as it tells."""
        self.context_windows.update({model: size for model, size in told.items() if size})
        self.only_context_window = next(iter(told.values())) if len(told) == 1 else None

    def context_window(self, model: str) -> int | None:
        """What the server told of a model, or of the only one that it has; in tokens.

        A server with one model answers to any name with it.
        """
        return self.context_windows.get(model) or self.only_context_window


_known: dict[str, Knowledge] = {}


def knowledge_of(endpoint: Endpoint) -> Knowledge:
    """One record per base URL and process: sub-sessions make providers anew for each task."""
    return _known.setdefault(endpoint.base_url, Knowledge())


@dataclass(frozen=True, slots=True)
class Choice:
    """The protocol to begin with, and whether the server may prove it wrong.

    `or_responses`: Chat Completions says it better, but a server without it has to do.
    """

    protocol: Protocol
    may_fall_back: bool = False
    or_responses: bool = False


def choose(
    setting: Literal["auto"] | bool,  # noqa: FBT001
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    stop: object = None,
    always_responses: bool = False,
) -> Choice:
    """Explicit setting, then OpenAI's and Azure's own hosts, then what is known of the server.

    `stop` are the strings that config has, for requests without any.
    What Responses can't say, or most servers drop from it in silence (stop strings,
    output formats), goes through Chat Completions.
    """
    if setting != "auto":
        return Choice("responses" if setting else "chat")
    if always_responses or not endpoint.is_custom:
        return Choice("responses")
    known = knowledge_of(endpoint)
    if known.chat_only:
        return Choice("chat")
    if request.stop or stop or _wants_format(request):
        return Choice("responses") if known.has_no_chat else Choice("chat", or_responses=True)
    return Choice("responses", may_fall_back=True)


def _wants_format(request: ChatRequest) -> bool:
    return request.response_format is not None and request.response_format.type != "text"


def says_wrong_protocol(error: BaseException, *, proven: bool = False) -> str | None:
    """Why a failed Responses call suggests that the server does not speak it; None if it doesn't.

    A broken connection counts: a server may answer 404 and close before it has read the
    request, and then nothing but the reset arrives. It does not where Responses is `proven`.
    """
    status = status_of(error)
    if status is not None:
        return _status_says(status, error)
    if isinstance(error, FailedAnswerError) or is_context_overflow(error):
        return None
    if isinstance(error, BrokenAnswerError) or is_unreadable(error):
        return f"the answer is not of the Responses API ({type(error).__name__}: {error})"
    if isinstance(error, openai.APITimeoutError | TimeoutError | kernel.LLMError):
        return None
    cause = transport_error(error)
    if proven or cause is None or never_connected(error):
        return None
    return f"the connection broke ({type(cause).__name__})"


def _status_says(status: int, error: BaseException) -> str | None:
    if status in _NO_SUCH_ENDPOINT or (status == 404 and not _is_about_the_moment(error)):
        return f"POST /responses answered {status}"
    if status not in {400, 422} or is_context_overflow(error):
        return None
    if _complains_of_shape(text_of(error)):
        return f"POST /responses answered {status} and does not know the request's shape"
    return None


def _is_about_the_moment(error: BaseException) -> bool:
    """Whether a 404 says that the model is not there, or not yet, rather than the endpoint."""
    return is_about_model(error) or is_warming_up(error)


def _complains_of_shape(said: str) -> bool:
    """A server may know the shape, and refuse the value: that says nothing about the protocol."""
    if _RESPONSES_SHAPES.search(said):
        return True
    return bool(_RESPONSES_FIELDS.search(said) and _NOT_KNOWN.search(said))


def is_missing_endpoint(error: BaseException) -> bool:
    """Whether there is no such endpoint: the server was exchanged for another."""
    status, said = status_of(error), _words_of(error)
    if status != 404:
        return status in {405, 501}
    # mlx_lm.server (0.32.2) answers 404 to whatever goes wrong, with the exception's text.
    return said.strip(" .\n").lower() in _NOT_FOUND or bool(_NOTHING_THERE.search(said))


def _words_of(error: BaseException) -> str:
    """What the server says in an error body of any vendor's shape."""
    body = body_of(error)
    if isinstance(body, dict):
        body = next((body[key] for key in ("message", "detail", "error") if body.get(key)), "")
    return str(body or "")
