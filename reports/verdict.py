"""What the outcomes of both layers say together, and whose it is (design §2)."""

from collections.abc import Iterable

from reports.words import Outcome, Owner, Verdict

GOOD = {Verdict.WORKS, Verdict.BRIDGED}
"""The verdicts with which a user gets what the requirement says."""

_ONE_LAYER = {
    Outcome.PASS: Verdict.WORKS,
    Outcome.UNSUPPORTED: Verdict.UNSUPPORTED,
    Outcome.NOT_RUN: Verdict.NOT_RUN,
    Outcome.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    Outcome.ERROR: Verdict.ERROR,
}
_BOTH_LAYERS = {
    (Outcome.PASS, Outcome.PASS): Verdict.WORKS,
    (Outcome.FAIL, Outcome.PASS): Verdict.BRIDGED,
    (Outcome.UNSUPPORTED, Outcome.PASS): Verdict.BRIDGED,
    (Outcome.FAIL, Outcome.FAIL): Verdict.SERVER,
    (Outcome.FAIL, Outcome.UNSUPPORTED): Verdict.SERVER,
    (Outcome.PASS, Outcome.FAIL): Verdict.PROVIDER,
    (Outcome.UNSUPPORTED, Outcome.FAIL): Verdict.PROVIDER,
    (Outcome.PASS, Outcome.UNSUPPORTED): Verdict.PROVIDER,
    (Outcome.UNSUPPORTED, Outcome.UNSUPPORTED): Verdict.UNSUPPORTED,
}
_OWNER = {
    Verdict.BRIDGED: Owner.SERVER,
    Verdict.UNSUPPORTED: Owner.SERVER,
    Verdict.NOT_RUN: Owner.SUITE,
    Verdict.INCONCLUSIVE: Owner.MODEL,
    Verdict.SERVER: Owner.SERVER,
    Verdict.PROVIDER: Owner.PROVIDER,
    Verdict.ERROR: Owner.SUITE,
}
_WORSE_OUTCOME = {one: place for place, one in enumerate(Outcome)}
_WORSE_VERDICT = {one: place for place, one in enumerate(Verdict)}


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of several outcomes; of none, not run."""
    return max(outcomes, key=_WORSE_OUTCOME.__getitem__, default=Outcome.NOT_RUN)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; of none, not run."""
    return max(verdicts, key=_WORSE_VERDICT.__getitem__, default=Verdict.NOT_RUN)


def verdict(wire: Outcome | None, provider: Outcome | None, *, set_up: bool = False) -> Verdict:
    """Judge both outcomes of one check and mode; None is a layer the check doesn't have.

    A failure that the other layer neither shares nor refutes is inconclusive: it has no owner.
    With `set_up` the server's own answers to the module show what it was started without; only a
    pass on the wire speaks against that.
    """
    judged = _judged(wire, provider)
    excused = set_up and judged is Verdict.PROVIDER and wire is not Outcome.PASS
    return Verdict.SERVER if excused else judged


def _judged(wire: Outcome | None, provider: Outcome | None) -> Verdict:
    if wire is None or provider is None:
        return _of_one_layer(wire, provider)
    both = {wire, provider}
    if Outcome.ERROR in both:
        return Verdict.ERROR
    if Outcome.INCONCLUSIVE in both or both == {Outcome.FAIL, Outcome.NOT_RUN}:
        return Verdict.INCONCLUSIVE
    if Outcome.NOT_RUN in both:
        return Verdict.NOT_RUN
    return _BOTH_LAYERS[wire, provider]


def _of_one_layer(wire: Outcome | None, provider: Outcome | None) -> Verdict:
    outcome = wire or provider or Outcome.NOT_RUN
    if outcome is Outcome.FAIL:
        return Verdict.SERVER if wire else Verdict.PROVIDER
    return _ONE_LAYER[outcome]


def owner(
    judged: Verdict,
    wire: Iterable[Owner | None],
    provider: Iterable[Owner | None],
    *,
    unclear: bool = False,
) -> Owner | None:
    """Whose a verdict is: what the results that did not pass say, else what the verdict says.

    `wire` and `provider` are the owners those results state. The server's side (server, set-up,
    model) is told by the wire; a verdict `provider` or `error` is never given away. `inconclusive`
    is the model's where one of those results is so (`unclear`), else nobody's.
    """
    if judged is Verdict.WORKS:
        return None
    if judged in {Verdict.PROVIDER, Verdict.ERROR}:
        return _OWNER[judged]
    stated = [said for said in (*wire, *provider) if said]
    if not stated and judged is Verdict.INCONCLUSIVE and not unclear:
        return None
    return stated[0] if stated else _OWNER[judged]
