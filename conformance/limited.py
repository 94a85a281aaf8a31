"""Answers that a limit cuts; a model that ends within it by itself is no fault of its server."""

from __future__ import annotations

from conformance.ask import Asker
from conformance.outcome import Malformed, ensure_form
from conformance.reply import Reply

#: What does not fit into any of the limits that are set for it.
FORTY = "Count to 40."


async def ensure_cut(ask: Asker, reply: Reply, limit: int) -> None:
    """Hold an answer to `FORTY` to its limit in tokens: all of them used, and told to be cut.

    Another model than the suite's own may end before. The server is at fault whatever the model,
    `Malformed`, where it cuts elsewhere, or where an answer goes on that was told to be over.
    """
    reason = reply.finish_reason
    if reply.usage is None:
        raise Malformed("no usage is told")
    tokens = reply.usage.completion_tokens
    if reason == "length":
        ensure_form(tokens == limit, f"cut after {tokens} tokens, not {limit}")
        return
    ensure_form(tokens <= limit, f"{tokens} tokens, where {limit} were the limit")
    more = await ask(FORTY, max_tokens=2 * limit)
    on = goes_on(*(one.reasoning + one.text for one in (reply, more)))
    ensure_form(not on, f"finish reason {reason!r}, but with room it goes on")
    raise AssertionError(f"it ended after {tokens} of {limit} tokens, finish reason {reason!r}")


def goes_on(said: str, more: str) -> bool:
    """Whether the same beginning is followed by more; another answer altogether shows nothing."""
    return more.startswith(said) and more != said
