"""How the end of a check's body becomes an outcome."""

from __future__ import annotations

from reports import Outcome


class NotAnswered(Exception):
    """The server, or the module, gave no answer: an error status, a broken stream, silence."""


class Inconclusive(Exception):
    """The model did something else, or was cut short: the check did not happen."""


class Unsupported(Exception):
    """The server said, cleanly, that it does not do this."""


class TargetLost(Exception):
    """The server is gone; nothing that follows says anything about it."""


def outcome_of(error: BaseException | None) -> Outcome:
    """The outcome of a body that ended with `error`; whatever is unforeseen is our own fault."""
    match error:
        case None:
            return Outcome.PASS
        case AssertionError() | NotAnswered():
            return Outcome.FAIL
        case Inconclusive():
            return Outcome.INCONCLUSIVE
        case Unsupported():
            return Outcome.UNSUPPORTED
        case _:
            return Outcome.ERROR
