"""How the end of a check's body becomes an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reports import Outcome


class NotAnswered(Exception):
    """The server, or the module, gave no answer: an error status, a broken stream, silence."""


class Refused(NotAnswered):
    """The server said, cleanly, that it does not take the request as it is: a 4xx with an error."""


class Malformed(AssertionError):
    """What came has not the form that the protocol gives it: no model's words are the cause."""


class Inconclusive(Exception):
    """The model did something else, or was cut short: the check did not happen."""


class NotSetUp(Inconclusive):
    """As this server was started there is nothing to judge: no key, no cache, no parser."""


class Unsupported(Exception):
    """The server said, cleanly, that it does not do this."""


class TargetLost(Exception):
    """The server is gone; nothing that follows says anything about it."""


@contextmanager
def about_form() -> Iterator[None]:
    """What is asserted in here is about statuses, headers and keys: a fault is `Malformed`."""
    try:
        yield
    except Malformed:
        raise
    except AssertionError as fault:
        raise Malformed(*fault.args) from fault


def ensure_form(holds: object, fault: str) -> None:
    """`Malformed`, in these words, where something does not hold."""
    if not holds:
        raise Malformed(fault)


#: Statuses that say nothing of what was asked: who asks, how often, and how long it took.
_OTHERWISE = {401, 403, 407, 408, 429}


def is_refusal(status: int | None) -> bool:
    """Whether a status says that the request itself is not taken."""
    return status is not None and 400 <= status < 500 and status not in _OTHERWISE


def outcome_of(error: BaseException | None, *, optional: bool = False) -> Outcome:
    """The outcome of a body that ended with `error`; whatever is unforeseen is our own fault.

    What is `optional` a server may refuse.
    """
    match error:
        case None:
            return Outcome.PASS
        case Refused() if optional:
            return Outcome.UNSUPPORTED
        case AssertionError() | NotAnswered():
            return Outcome.FAIL
        case Inconclusive():
            return Outcome.INCONCLUSIVE
        case Unsupported():
            return Outcome.UNSUPPORTED
        case _:
            return Outcome.ERROR
