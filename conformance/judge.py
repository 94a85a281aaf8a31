"""From the end of a check's body to a result with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.ask import Asker
from conformance.bench import Bench, Moment
from conformance.expectations import expectation
from conformance.outcome import outcome_of
from conformance.provider import ProviderAsker
from reports import Event, Layer, Mode, Outcome, Owner, Result

MESSAGE_LIMIT = 2000


@dataclass(frozen=True)
class Cell:
    """Which check runs, and how."""

    check: str
    layer: Layer
    mode: Mode


@dataclass
class Trial:
    """One run of one check's body: what is known before it, and what is learnt while it goes."""

    cell: Cell
    bench: Bench
    began: Moment
    asker: Asker | None = None
    #: Both sides of the comparison that failed, as pytest saw them.
    seen: Any = None
    expected: Any = None

    def result(self, error: BaseException | None, seconds: float) -> Result:
        """The judgement, once the body ended with `error`, or without one."""
        outcome, message = outcome_of(error), _said(error)
        lost = self.bench.lost() if outcome is not Outcome.PASS else None
        if lost:
            outcome, message = Outcome.ERROR, lost
        compared = outcome is Outcome.FAIL and isinstance(error, AssertionError)
        return Result(
            target=self.bench.target.server,
            check=self.cell.check,
            layer=self.cell.layer,
            mode=self.cell.mode,
            outcome=outcome,
            owner=Owner.SUITE if outcome is Outcome.ERROR else None,
            message=message,
            expected=_shown(self.expected) if compared else None,
            seen=_shown(self.seen) if compared else None,
            duration_ms=seconds * 1000,
            exchanges=tuple(self.bench.exchanges(self.began)),
            events=self._events(),
            log=self.bench.target.log.since(self.began.log),
            expectation=self._expectation(),
        )

    def _events(self) -> tuple[Event, ...]:
        if not isinstance(self.asker, ProviderAsker):
            return ()
        return tuple(Event.of(name, payload) for _, name, payload in self.asker.events)

    def _expectation(self) -> Any:
        known, version = self.bench.spec.expectations, self.bench.target.version
        return expectation(known, version, self.cell.check, self.cell.layer, self.cell.mode)


def _said(error: BaseException | None) -> str:
    return "" if error is None else (str(error) or type(error).__name__)[:MESSAGE_LIMIT]


def _shown(value: Any) -> str | None:
    return None if value is None else repr(value)
