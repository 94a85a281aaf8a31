"""Reading the errors of the SDK and of its HTTP library, which is `httpx` or `httpx2`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from traceback import walk_tb
from typing import Any

import openai

# The HTTP library's public methods that read a body, whole or in pieces.
_BODY_READERS = frozenset({"aread", "aiter_bytes", "aiter_raw"})
_TRANSPORT_ROOTS = frozenset({"httpx", "httpx2", "httpcore", "httpcore2"})
# Python makes what a caller is handling the context of every error that is raised meanwhile.
_callers_own: ContextVar[BaseException | None] = ContextVar("_callers_own", default=None)


@contextmanager
def apart_from_the_callers() -> Iterator[None]:
    """Within, an error that the caller is handling led to none of those read here."""
    before = _callers_own.get()
    _callers_own.set(sys.exc_info()[1])
    try:
        yield
    finally:
        _callers_own.set(before)


def status_of(error: BaseException) -> int | None:
    """The HTTP status of the answer that an error is about, if there was one.

    A server that closes without reading the request makes the SDK fail while it reads
    the body of the error; the status is then found behind the failure.
    """
    for cause in _causes(error):
        status = getattr(cause, "status_code", None)
        if status is None:
            status = getattr(getattr(cause, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return None


def body_of(error: BaseException) -> Any:
    """The error object that the server sent, unwrapped, or its text; None without one."""
    body = getattr(error, "body", None)
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        return body["error"]
    return body


def code_of(error: BaseException) -> str:
    """`code` and `type` of the error object, lower case; "" without one."""
    body = body_of(error)
    return f"{body.get('code')} {body.get('type')}".lower() if isinstance(body, dict) else ""


def text_of(error: BaseException) -> str:
    """All that the server said, lower case, to look for phrases in."""
    return f"{json.dumps(body_of(error), default=str)} {error}".lower()


def transport_error(error: BaseException) -> BaseException | None:
    """The failure of the connection behind an error; None when the connection was fine."""
    if isinstance(error, openai.APIStatusError):
        return None
    for cause in _causes(error):
        if type(cause).__module__.partition(".")[0] in _TRANSPORT_ROOTS:
            return cause
    return error if isinstance(error, openai.APIConnectionError) else None


def never_connected(error: BaseException) -> bool:
    """Whether no connection came about at all: no server, no such host, a TLS failure."""
    return any(
        type(cause).__name__ in {"ConnectError", "ConnectTimeout"} for cause in _causes(error)
    )


def closed_unanswered(error: openai.APIConnectionError) -> bool:
    """Whether the server closed the connection when the request came, without a byte of answer."""
    cause = error.__cause__
    if isinstance(error, openai.APITimeoutError) or never_connected(error) or _in_body(cause):
        return False
    return type(cause).__name__ in {"WriteError", "ReadError"} or (
        "without sending a response" in str(cause)
    )


def _in_body(cause: BaseException | None) -> bool:
    """Whether the connection broke while a body was read, so after the head of an answer."""
    frames = walk_tb(cause.__traceback__ if cause else None)
    return any(frame.f_code.co_name in _BODY_READERS for frame, _ in frames)


def scrub(error: BaseException, without_secrets: Callable[[str], str]) -> None:
    """Take secrets out of an error and all that led to it: a traceback shows every one."""
    for cause in _causes(error):
        for name in ("args", "message", "body"):
            value = getattr(cause, name, None)
            clean = _scrubbed(value, without_secrets)
            if clean != value:
                with suppress(AttributeError):  # some errors compute theirs from what is in args
                    setattr(cause, name, clean)


def _scrubbed(value: Any, without_secrets: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _scrubbed(item, without_secrets) for name, item in value.items()}
    if isinstance(value, list | tuple):
        clean = [_scrubbed(item, without_secrets) for item in value]
        return clean if isinstance(value, list) else tuple(clean)
    return value


def words_of(error: BaseException) -> str:
    """What an error says; never empty."""
    return str(error) or f"{type(error).__name__}: (no message)"


def header_of(error: BaseException, name: str) -> str | None:
    """A header of the answer that an error is about."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    return headers.get(name) if headers is not None else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it, nearest first; none of the caller's own."""
    pending, seen = [error], {id(_callers_own.get())}
    while pending:
        cause = pending.pop(0)
        if id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            pending += [link for link in (cause.__cause__, cause.__context__) if link]
