"""A server with a model that isn't the suite's own: what it can't be held to, and why."""

from __future__ import annotations

import httpx

from conformance.catalogue import catalogue, own_model_checks
from conformance.expectations import only_if_met
from conformance.outcome import Malformed, NotAnswered
from fixtures.model.files import ModelFiles
from reports import Expectation, Layer, Outcome, Owner, Result
from servers import Target
from servers.ready import client

#: What no other model says, or only by chance.
_QUESTION, _ANSWER = "What is in this image?", "I do not know that one."
_PATIENCE = 60.0
#: Invariants that a server keeps only where its model says nothing odd.
_OF_WORDS = {"invariants.arguments-object", "invariants.offered-names", "invariants.tokens-told"}
_MARKUP = "invariants.no-markup"
_RED = {Outcome.FAIL, Outcome.INCONCLUSIVE}


def serves_own(target: Target, model: ModelFiles) -> bool:
    """Whether a target serves the suite's own model; one that others started is asked."""
    if not model.own:
        return False
    if target.how != "attach" or target.model == model.name:
        return True
    request = {
        "model": target.model,
        "messages": [{"role": "user", "content": _QUESTION}],
        "temperature": 0,
        "max_tokens": 16,
    }
    try:
        with client(target.url, target.api_key) as http:
            answer = http.post("/chat/completions", json=request, timeout=_PATIENCE)
            text = answer.json()["choices"][0]["message"]["content"]
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return False
    return isinstance(text, str) and text.strip() == _ANSWER


def excused(result: Result, error: BaseException | None, model: str) -> Result:
    """The result as it counts on another model; `error` is what the check's body ended with.

    Words that only the suite's own model is sure to say are asked all the same. Where they don't
    come, nothing is known of the server; nor does an expectation of the server then say anything.
    What no model can be the cause of stays: no answer at all, one that is not in the protocol's
    form, our own faults, a clean refusal.
    """
    about = result.case or result.check
    words = _is_of_words(result) or (result.case is None and about in own_model_checks())
    if not words and about not in own_model_checks():
        return result
    if words and result.outcome in _RED and not isinstance(error, NotAnswered | Malformed):
        return result.model_copy(
            update={
                "outcome": Outcome.INCONCLUSIVE,
                "owner": Owner.MODEL,
                "expectation": _left_out(model),
            }
        )
    return only_if_met(result)


def _is_of_words(result: Result) -> bool:
    """Whether an invariant tells of words; of markup, where the wire has no say, nobody knows."""
    if result.check == _MARKUP and result.case:
        return Layer.WIRE not in catalogue()[result.case].layers
    return result.check in _OF_WORDS


def _left_out(model: str) -> Expectation:
    return Expectation(
        outcomes=(Outcome.INCONCLUSIVE,),
        reason=f"Left out: the model {model} is not the suite's own, and need not say this.",
        recheck_by=None,
    )
