"""An answer that came with a success status and is none."""

from __future__ import annotations

_EXCERPT = 300


class BrokenAnswerError(Exception):
    """What the server sent instead; `body` is an error object if it was one."""

    def __init__(self, what: str, *, body: object = None, truncated: bool = False) -> None:
        super().__init__(what)
        self.body = body
        self.truncated = truncated


class FailedAnswerError(BrokenAnswerError):
    """The server keeps to the protocol, and says by it that the request failed."""


def no_event_stream(beginning: bytes) -> BrokenAnswerError:
    """The error for a body without a single event."""
    return BrokenAnswerError(f"the body is no event stream; it begins: {excerpt(beginning)}")


def excerpt(received: bytes | str) -> str:
    """The beginning of what was received, on one line, for people."""
    text = received.decode("utf-8", "replace") if isinstance(received, bytes) else received
    text = " ".join(text.split())
    return f"{text[:_EXCERPT]}…" if len(text) > _EXCERPT else text or "nothing"
