"""A server goes on serving, whatever it was asked: shown after each request that it refused."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.aside import asked_aside
from conformance.bench import Bench
from conformance.outcome import NotAnswered
from reports import Exchange

CHECK = "invariants.still-serves"
#: The lowest status that tells of an error.
_ERROR = 400


def was_refused(exchanges: Iterable[Exchange]) -> bool:
    """Whether one of the requests ended in an error status."""
    return any(exchange.status is not None and exchange.status >= _ERROR for exchange in exchanges)


def fault_after(bench: Bench) -> AssertionError | None:
    """Ask for one token; what is wrong with the answer, or None."""
    try:
        assert asked_aside(bench, "Repeat: tiger", max_tokens=1).reply.finish_reason
    except (AssertionError, NotAnswered) as error:
        return AssertionError(f"after an error status, a plain question: {error}")
    return None
