"""Honoured, refused and ignored are three things."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors

from conformance.catalogue import Row, catalogue, optional_checks
from conformance.outcome import NotAnswered, NotSetUp, Refused, outcome_of
from conformance.provider import _no_answer
from conformance.wire import Answer
from reports import Level, Outcome

ERROR = '{"error": {"message": "no such field"}}'


def refused(status: int, body: str) -> NotAnswered:
    """What reading this answer raises."""
    with pytest.raises(NotAnswered) as raised:
        Answer(status, {}, body).ensure_answered()
    return raised.value


@pytest.mark.parametrize("status", [400, 404, 422])
def test_error_in_words_is_a_refusal(status: int) -> None:
    error = refused(status, ERROR)

    assert outcome_of(error, optional=True) is Outcome.UNSUPPORTED
    assert outcome_of(error) is Outcome.FAIL


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, ERROR), (501, ERROR), (401, ERROR), (429, ERROR), (400, ""), (400, '{"error": {}}')],
)
def test_anything_else_is_a_failure(status: int, body: str) -> None:
    assert outcome_of(refused(status, body), optional=True) is Outcome.FAIL


def test_module_hands_a_refusal_on() -> None:
    theirs = llm_errors.InvalidRequestError("no such field", status_code=400)
    its_own = llm_errors.InvalidRequestError("no such effort")
    failed = llm_errors.ProviderUnavailableError("overloaded", status_code=503)

    assert isinstance(_no_answer(theirs), Refused)
    assert not isinstance(_no_answer(its_own), Refused)
    assert not isinstance(_no_answer(failed), Refused)


def test_no_must_is_optional() -> None:
    row = catalogue()["text.plain"]
    said = {"layers": ["wire"], "modes": ["whole"], "optional": True}
    known = set(Row.model_fields)

    with pytest.raises(ValueError, match="no MUST"):
        Row.model_validate({k: v for k, v in row.model_dump().items() if k in known} | said)
    assert not {one for one in optional_checks() if catalogue()[one].level is Level.MUST}


def test_what_a_server_was_not_set_up_for_did_not_happen():
    assert outcome_of(NotSetUp("no key")) is Outcome.INCONCLUSIVE
