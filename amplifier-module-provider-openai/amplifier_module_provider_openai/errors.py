"""Errors of the SDK, the network and the protocols → the kernel's error types.

Messages on OpenAI's own hosts are the error object as JSON, as callers expect;
elsewhere they also name the URL, the cause and what to do.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from traceback import walk_tb
from typing import Any

import openai
from amplifier_core import llm_errors as kernel

from .broken import BrokenAnswerError
from .credentials import MissingKeyError
from .endpoint import Endpoint
from .native import (
    body_of,
    code_of,
    header_of,
    never_connected,
    status_of,
    text_of,
    transport_error,
    words_of,
)
from .patience import IdleTimeoutError

_CONTEXT_CODES = ("context_length_exceeded", "exceed_context_size_error")
_CONTEXT_PHRASES = (
    "context length",
    "context size",
    "context window",
    "maximum context",
    "too many tokens",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "longer than the maximum model length",
)
_CONTEXT_SIZE = re.compile(r"context (?:length|size|window)\D{1,30}(\d{3,8})\b")
# Words in `code` or `type` of an error object, the most telling first. "image_" begins OpenAI's
# codes for an image that will not do, however often it is sent.
_BY_WORD: tuple[tuple[re.Pattern[str], type[kernel.LLMError]], ...] = (
    (re.compile("insufficient_quota"), kernel.QuotaExceededError),
    (re.compile("rate_?limit"), kernel.RateLimitError),
    (re.compile("content_filter|content_policy"), kernel.ContentFilterError),
    (re.compile("authentication|invalid_api_key"), kernel.AuthenticationError),
    (re.compile("not_?found"), kernel.NotFoundError),
    (re.compile(r"\binvalid_|bad_?request|image_"), kernel.InvalidRequestError),
)
_FILTER_PHRASES = ("content filter", "content_filter", "safety", "blocked")
# What the SDK runs into, or says, when an answer is not OpenAI's.
_UNREADABLE = RuntimeError | ValueError | AttributeError | AssertionError | LookupError | TypeError
_CLOUDFLARE = (
    "just a moment",
    "cf-browser-verification",
    "cloudflare",
    "checking if the site connection is secure",
)
_WARMING_UP = ("loading model", "model is loading", "warming up", "still loading")
_MODEL_PHRASES = ("model_not_found", "no such model", "model not found")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was being tried when an error came: where, of which model, how far it got.

    `answered` is for an error that came inside an answer, whose status says nothing.
    """

    provider: str
    endpoint: Endpoint
    path: str
    model: str
    timeout: float
    max_retry_delay: float
    streaming: bool = False
    answered: bool = False
    tried_before: str | None = None

    @property
    def url(self) -> str:
        """The URL asked, for people."""
        return self.endpoint.url(self.path)


def kernel_error(error: BaseException, attempt: Attempt) -> kernel.LLMError:
    """The kernel's error for a native one; raise it `from` the native one."""
    if isinstance(error, kernel.LLMError):
        error.provider, error.model = attempt.provider, attempt.model
        if isinstance(error, IdleTimeoutError):
            error.args = (f"{error}{_slowness_hint(attempt, 'stream_idle_timeout')}",)
        return error
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return _timed_out(error, attempt)
    if (status := status_of(error)) is not None:
        return _from_status(status, error, attempt)
    if (cause := transport_error(error)) is not None:
        return _from_transport(cause, error, attempt)
    return _from_answer(error, attempt)


def _timed_out(error: BaseException, attempt: Attempt) -> kernel.LLMError:
    what = f"Request timed out after {attempt.timeout}s{_slowness_hint(attempt, 'timeout')}"
    if never_connected(error):
        what = _no_connection(error, attempt)
    return _make(kernel.LLMTimeoutError, what, error, attempt)


def message_of(error: BaseException) -> str:
    """The error object as JSON, else the error's own words; never empty."""
    body = getattr(error, "body", None)
    if body not in (None, ""):
        return json.dumps(body, default=str)
    if transport_error(error) is not None and not str(error):
        return f"The connection broke while the answer was read ({type(error).__name__})"
    return words_of(error)


def is_unreadable(error: BaseException) -> bool:
    """Whether the SDK stumbled over an answer; the same errors of this module are its own bugs."""
    names = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    packages = [name.partition(".")[0] for name in names]
    known = [package for package in packages if package in {"openai", __package__}]
    return isinstance(error, _UNREADABLE) and known[-1:] == ["openai"]


def is_about_model(error: BaseException) -> bool:
    """Whether a refusal says that the model, not the endpoint, is missing."""
    text, body = text_of(error), body_of(error)
    if isinstance(body, dict) and body.get("param") == "model":
        return True
    missing = any(words in text for words in ("not found", "does not exist", "not exist"))
    return any(phrase in text for phrase in _MODEL_PHRASES) or ("model" in text and missing)


def is_warming_up(error: BaseException) -> bool:
    """Whether a gateway says that what is asked for is not there yet."""
    said = text_of(error)
    return status_of(error) in {404, 425} and any(phrase in said for phrase in _WARMING_UP)


def is_context_overflow(error: BaseException) -> bool:
    """Whether a refusal says, in any server's words, that the prompt is too long."""
    text = text_of(error)
    return any(code in text for code in _CONTEXT_CODES) or any(
        phrase in text for phrase in _CONTEXT_PHRASES
    )


def context_size_of(error: BaseException) -> int | None:
    """How many tokens the server has room for, as far as it says so when refusing a prompt."""
    body = body_of(error)
    given = body.get("n_ctx") if isinstance(body, dict) else None
    if isinstance(given, int):
        return given
    found = _CONTEXT_SIZE.search(text_of(error))
    return int(found[1]) if found else None


def _from_status(status: int, error: BaseException, attempt: Attempt) -> kernel.LLMError:
    said, delay = text_of(error), _retry_after(error)
    if status == 429:
        return _rate_limit(error, attempt, delay)
    if status == 413 or (status in {400, 404, 422, 500} and is_context_overflow(error)):
        return _make(kernel.ContextLengthError, message_of(error), error, attempt)
    if _is_unavailable(status, error):
        return _come_back(kernel.ProviderUnavailableError, error, attempt, delay)
    kind = _BY_STATUS.get(status, kernel.LLMError)
    if status == 400 and any(phrase in said for phrase in _FILTER_PHRASES):
        kind = kernel.ContentFilterError
    return _make(kind, message_of(error), error, attempt)


def _is_unavailable(status: int, error: BaseException) -> bool:
    """Whether the server, or a proxy before it, may answer if asked again."""
    if status == 403:
        return is_cloudflare_page(error)
    return is_warming_up(error) or (status >= 500 and status != 501)


_BY_STATUS: dict[int, type[kernel.LLMError]] = {
    400: kernel.InvalidRequestError,
    401: kernel.AuthenticationError,
    403: kernel.AccessDeniedError,
    404: kernel.NotFoundError,
}


def _rate_limit(error: BaseException, attempt: Attempt, delay: float | None) -> kernel.LLMError:
    if "insufficient_quota" in code_of(error):
        return _make(kernel.QuotaExceededError, message_of(error), error, attempt)
    return _come_back(kernel.RateLimitError, error, attempt, delay)


def _come_back(
    kind: type[kernel.LLMError], error: BaseException, attempt: Attempt, delay: float | None
) -> kernel.LLMError:
    """An error that passes; not worth the wait when the server asks for a longer one than ours."""
    soon = delay is None or delay <= attempt.max_retry_delay
    what = message_of(error)
    return _make(kind, what, error, attempt, retry_after=delay, retryable=soon)


def _from_transport(
    cause: BaseException, error: BaseException, attempt: Attempt
) -> kernel.LLMError:
    if never_connected(error):
        return _make(kernel.NetworkError, _no_connection(cause, attempt), error, attempt)
    detail = _named(cause)
    if attempt.streaming:
        what = f"The connection to {attempt.url} broke in mid-stream ({detail})."
        return _make(kernel.StreamError, f"{what}{_log_hint(attempt)}", error, attempt)
    what = f"{detail} while reading the response from {attempt.url}."
    return _make(kernel.NetworkError, f"{what}{_protocol_hint(attempt)}", error, attempt)


def _no_connection(cause: BaseException, attempt: Attempt) -> str:
    said = f"Could not connect to {attempt.url} ({_named(cause)}). Is the server running?"
    return f"{said}{_proxy_hint()}"


def _named(cause: BaseException) -> str:
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def _from_error_object(error: BaseException, attempt: Attempt) -> kernel.LLMError:
    """An error that came inside an answer with status 200."""
    status, attempt = _status_within(error), replace(attempt, answered=True)
    if status is None or is_context_overflow(error):
        return _make(_kind_of_object(error), message_of(error), error, attempt)
    failure = _from_status(status, error, attempt)
    failure.status_code = status
    return failure


def _status_within(error: BaseException) -> int | None:
    """The status that the server would have answered, had it not begun with 200 already.

    A server that fails (5xx) breaks its answer off by it, whatever figure it gives.
    """
    body = body_of(error)
    code = str(body.get("code")) if isinstance(body, dict) else ""
    return int(code) if re.fullmatch(r"4\d\d", code) else None


def _kind_of_object(error: BaseException) -> type[kernel.LLMError]:
    if is_context_overflow(error):
        return kernel.ContextLengthError
    code = code_of(error)
    kinds = (kind for words, kind in _BY_WORD if words.search(code))
    standard = "invalid request" in text_of(error)
    return next(kinds, kernel.InvalidRequestError if standard else kernel.StreamError)


def _from_answer(error: BaseException, attempt: Attempt) -> kernel.LLMError:
    """Something was wrong with what came, or with this module."""
    if isinstance(error, BrokenAnswerError):
        return _from_broken(error, attempt)
    if isinstance(error, openai.APIError):
        return _from_error_object(error, attempt)
    if isinstance(error, MissingKeyError):
        return _make(kernel.AuthenticationError, str(error), error, attempt)
    return _from_anything(error, attempt)


def _from_broken(error: BrokenAnswerError, attempt: Attempt) -> kernel.LLMError:
    if error.body is not None:
        return _from_error_object(error, attempt)
    what = f"{attempt.url} gave an answer that can't be used: {error}."
    if error.truncated:
        return _make(kernel.StreamError, f"{what}{_log_hint(attempt)}", error, attempt)
    return _make(kernel.LLMError, f"{what}{_protocol_hint(attempt)}", error, attempt)


def _from_anything(error: BaseException, attempt: Attempt) -> kernel.LLMError:
    if attempt.endpoint.is_custom and is_unreadable(error):
        what = f"{attempt.url} gave an answer that can't be used: {message_of(error)}"
        return _make(kernel.LLMError, f"{what}{_protocol_hint(attempt)}", error, attempt)
    return _make(kernel.LLMError, message_of(error), error, attempt, retryable=True)


def _make(
    kind: type[kernel.LLMError],
    message: str,
    error: BaseException,
    attempt: Attempt,
    **more: Any,
) -> kernel.LLMError:
    status = status_of(error)
    if attempt.endpoint.is_custom and attempt.answered:
        message = f"{message} (inside an answer of {attempt.url})"
    elif attempt.endpoint.is_custom and status is not None:
        message = f"{message} ({attempt.url} answered {status}.{_hint(kind, status, attempt)})"
    if attempt.tried_before:
        message = f"{message} The Responses API was tried first: {attempt.tried_before}."
    return kind(message, provider=attempt.provider, model=attempt.model, status_code=status, **more)


def _hint(kind: type[kernel.LLMError], status: int, attempt: Attempt) -> str:
    if kind is kernel.ContextLengthError:
        return " Shorten the conversation, or start the server with a larger context."
    if kind is kernel.AuthenticationError:
        return " Set api_key of this provider entry to the server's key."
    if status in {404, 405, 410, 501}:
        return _protocol_hint(attempt)
    return ""


def _protocol_hint(attempt: Attempt) -> str:
    if not attempt.endpoint.is_custom:
        return ""
    hints = []
    if attempt.path == "responses":
        hints.append(
            "If this server has no Responses API, set `use_responses_api: false` (or `auto`) "
            "in this provider's config."
        )
    if not attempt.endpoint.base_url.endswith("/v1"):
        hints.append(f"Most servers want base_url to end in /v1: {attempt.endpoint.base_url}/v1.")
    return "".join(f" {hint}" for hint in hints)


def _slowness_hint(attempt: Attempt, setting: str) -> str:
    if not attempt.endpoint.is_custom:
        return ""
    return f" at {attempt.url}. If the server is only slow, raise `{setting}`."


def _log_hint(attempt: Attempt) -> str:
    return " The server's log may say why." if attempt.endpoint.is_custom else ""


def _proxy_hint() -> str:
    proxies = [name for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") if _environment(name)]
    return f" {', '.join(proxies)} is set and may divert the request." if proxies else ""


def _environment(name: str) -> str | None:
    return os.environ.get(name) or os.environ.get(name.lower())


def _retry_after(error: BaseException) -> float | None:
    """Seconds from `retry-after`, else from Azure's `x-ms-retry-after-ms`; None if unreadable."""
    for name, unit in (("retry-after", 1.0), ("x-ms-retry-after-ms", 1000.0)):
        try:
            return float(header_of(error, name) or "") / unit
        except ValueError:
            continue
    return _seconds_until(header_of(error, "retry-after"))


def _seconds_until(date: str | None) -> float | None:
    """Seconds until an HTTP date, which `retry-after` may be too; None if it is none."""
    try:
        then = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return max(0.0, then.timestamp() - time.time())


def is_cloudflare_page(error: BaseException) -> bool:
    """Whether a refusal is a page of the proxy in front, not an answer of the API."""
    body = body_of(error)
    if isinstance(body, dict | list):
        return False
    if "text/html" in (header_of(error, "content-type") or "").lower():
        return True
    page = f"{body or ''}{getattr(getattr(error, 'response', None), 'text', '')}".lower()
    return any(marker in page for marker in _CLOUDFLARE)
