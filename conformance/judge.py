"""From the end of a check's body to a result with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from conformance import agreement, still_serves
from conformance.agreement import Agreement
from conformance.ask import Asker
from conformance.bench import Bench, Moment
from conformance.catalogue import catalogue, optional_checks
from conformance.cell import Cell
from conformance.exchange import exchanges as exchanges_on
from conformance.exchange_invariants import EXCHANGE_INVARIANTS, judged_exchanges
from conformance.expectations import expectation, only_if_met, which
from conformance.invariants import INVARIANTS, judged
from conformance.other_model import excused
from conformance.outcome import NotSetUp, TargetLost, is_refusal, outcome_of
from conformance.protocol import Protocol
from conformance.provider import ProviderAsker
from conformance.set_up import lacking
from reports import Event, Exchange, Expectation, Layer, Outcome, Owner, Result, is_expected
from reports.curl import STAND_IN

MESSAGE_LIMIT = 2000


@dataclass
class Trial:
    """One run of one check's body: what is known before it, and what is learnt while it goes."""

    cell: Cell
    bench: Bench
    began: Moment
    asker: Asker | None = None
    #: Both sides of the comparison that failed.
    seen: str | None = None
    expected: str | None = None

    def results(self, error: BaseException | None, seconds: float) -> Iterator[Result]:
        """The judgement of the check, and then of each invariant, once the body has ended."""
        result = self._result(self.cell.check, error, seconds)
        yield self._attributed(result, error)
        if result.outcome is not Outcome.ERROR and self.asker:
            exchanges = result.exchanges if self._of_the_server else ()
            for check, fault in watched(self.bench, self.asker, exchanges, self._agreement()):
                row = catalogue()[check]
                if self.cell.layer in row.layers and self.cell.mode in row.modes:
                    yield self._attributed(self._invariant(result, check, fault), fault)

    def _attributed(self, result: Result, error: BaseException | None) -> Result:
        """The result with its owner, where more is known of it than the outcome."""
        attached = self.bench.target.how == "attach"
        if (attached and result.outcome is Outcome.PASS) or self._spoken_otherwise:
            # Somebody else's flags may do what ours don't, and so may another protocol.
            result = only_if_met(result)
        if not self.bench.own_model:
            result = excused(result, error, self.bench.target.model)
        if isinstance(error, NotSetUp) and result.outcome is Outcome.INCONCLUSIVE:
            return result.model_copy(update={"owner": Owner.SET_UP})
        if result.outcome is Outcome.FAIL and is_expected(result) and self._on_the_wire(result):
            return result.model_copy(update={"owner": Owner.SERVER})
        if result.outcome is Outcome.FAIL and (said := lacking(self.bench, result.exchanges)):
            message = f"{result.message}\n{said}"
            return result.model_copy(update={"owner": Owner.SET_UP, "message": message})
        return result

    @property
    def _spoken_otherwise(self) -> bool:
        """Whether the module speaks another protocol than where expectations were seen."""
        chat = self.bench.protocol is Protocol.CHAT
        return self.cell.layer is Layer.PROVIDER and not chat

    def _on_the_wire(self, result: Result) -> bool:
        """Whether the expectation says it of the server itself, so that it needn't be asked."""
        known, version = self.bench.spec.expectations, self.bench.target.version
        cell = replace(self.cell, check=result.check, layer=Layer.WIRE)
        return which(known, version, cell, during=self.cell.check) is not None

    @property
    def _of_the_server(self) -> bool:
        """Not so a check of the module alone, which may break connections to see what it does."""
        return Layer.WIRE in catalogue()[self.cell.check].layers

    def _agreement(self) -> Agreement:
        """What this check's answers are held against; large models are not always of one mind."""
        alike = self._of_the_server and self.bench.own_model
        return self.bench.agreements[self.cell.check] if alike else Agreement()

    def _invariant(self, watched: Result, check: str, fault: AssertionError | None) -> Result:
        """The evidence is kept where an invariant is broken; else it stands with the check."""
        update: dict[str, Any] = {
            "check": check,
            "case": watched.check,
            "outcome": outcome_of(fault),
            "message": _said(fault),
            "expected": None,
            "seen": None,
            "expectation": self._expectation(check),
        }
        if fault is None:
            update |= {"exchanges": (), "events": (), "log": ""}
        elif check == still_serves.CHECK:
            # It asks a question of its own, when the body's evidence has been taken.
            update |= {"exchanges": self._exchanges(), "log": self._log()}
        return Result(**{**dict(watched), **update})

    def _result(self, check: str, error: BaseException | None, seconds: float) -> Result:
        exchanges = self._exchanges()
        refused = any(is_refusal(exchange.status) for exchange in exchanges)
        outcome = outcome_of(error, optional=refused and check in optional_checks())
        message = _said(error)
        lost = message if isinstance(error, TargetLost) else self._lost(outcome)
        if lost:
            outcome, message = Outcome.ERROR, lost
        compared = outcome is Outcome.FAIL and isinstance(error, AssertionError)
        return Result(
            target=self.bench.id,
            check=check,
            layer=self.cell.layer,
            mode=self.cell.mode,
            attempt=self.cell.attempt,
            outcome=outcome,
            owner=Owner.SUITE if outcome is Outcome.ERROR else None,
            message=message,
            expected=self.expected if compared else None,
            seen=self.seen if compared else None,
            started=datetime.fromtimestamp(self.began.at, UTC),
            duration_ms=seconds * 1000,
            exchanges=exchanges,
            events=self._events(),
            log=self._log(),
            expectation=self._expectation(check),
        )

    def _lost(self, outcome: Outcome) -> str | None:
        """What became of the target, where an outcome or a connection makes one ask."""
        in_doubt = outcome is not Outcome.PASS or self.bench.refused(self.began)
        return self.bench.lost() if in_doubt else None

    def _exchanges(self) -> tuple[Exchange, ...]:
        """What went over the wire, and what stand-ins answered in the server's place."""
        found = self.bench.exchanges(self.began)
        if isinstance(self.asker, ProviderAsker):
            found += exchanges_on(self.asker.answered_for, STAND_IN, self.began.at)
        return tuple(sorted(found, key=lambda one: one.started_ms))

    def _log(self) -> str:
        return self.bench.target.log.since(self.began.log)

    def _events(self) -> tuple[Event, ...]:
        if not isinstance(self.asker, ProviderAsker):
            return ()
        return tuple(Event.of(name, payload) for _, name, payload in self.asker.events)

    def _expectation(self, check: str) -> Expectation | None:
        known, version = self.bench.spec.expectations, self.bench.target.version
        cell = replace(self.cell, check=check)
        return expectation(known, version, cell, during=self.cell.check)


def invariant_ids() -> set[str]:
    """The checks without a body: all that are judged while others run."""
    of_answers = {one.check for one in INVARIANTS}
    of_exchanges = {one.check for one in EXCHANGE_INVARIANTS}
    return of_answers | of_exchanges | {agreement.CHECK, still_serves.CHECK}


def watched(
    bench: Bench, asker: Asker, exchanges: Sequence[Exchange], modes: Agreement
) -> Iterator[tuple[str, AssertionError | None]]:
    """Each invariant that applied while a body ran, with its fault or None.

    Exchanges are judged on the wire only: between module and server they are the module's affair.
    """
    yield from judged(asker.answered)
    yield from modes.judged(asker.layer, asker.asked)
    if asker.layer is Layer.WIRE:
        yield from judged_exchanges(exchanges)
        if still_serves.was_refused(exchanges):
            yield still_serves.CHECK, still_serves.fault_after(bench)


def _said(error: BaseException | None) -> str:
    return "" if error is None else (str(error) or type(error).__name__)[:MESSAGE_LIMIT]
