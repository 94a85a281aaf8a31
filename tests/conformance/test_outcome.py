"""Honoured, refused and ignored are three things."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors

from conformance.answer import Answer
from conformance.catalogue import Row, catalogue, optional_checks
from conformance.outcome import (
    Malformed,
    NotAnswered,
    NotSetUp,
    Refused,
    Unsupported,
    about_form,
    outcome_of,
)
from conformance.provider import _no_answer
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


def test_what_servers_may_refuse_is_unsupported_and_a_wrong_key_is_not() -> None:
    with pytest.raises(Unsupported):
        Answer(400, {}, ERROR).ensure_supported()
    for status in (401, 429):
        with pytest.raises(NotAnswered):
            Answer(status, {}, ERROR).ensure_supported()


@pytest.mark.parametrize("status", [302, 500, 503])
def test_status_that_is_no_refusal_is_a_fault_of_form(status: int) -> None:
    with pytest.raises(Malformed, match=f"HTTP {status}"):
        _ = Answer(status, {}, ERROR).refusal


def test_answer_in_place_of_a_refusal_may_be_the_models_doing() -> None:
    with pytest.raises(AssertionError) as raised:
        _ = Answer(200, {}, "{}").refusal

    assert not isinstance(raised.value, Malformed)


def test_what_is_asserted_of_the_form_is_told_apart_and_keeps_its_words() -> None:
    with pytest.raises(Malformed, match="the header is missing"), about_form():
        raise AssertionError("the header is missing")
    with pytest.raises(NotAnswered), about_form():
        raise NotAnswered("silence")


@pytest.mark.parametrize("body", ["<html>", "[]", '"no"'])
def test_body_that_is_no_object_is_a_fault_of_form(body: str) -> None:
    with pytest.raises(Malformed, match="the body"):
        _ = Answer(200, {}, body).json


def test_key_that_a_server_leaves_out_is_missed() -> None:
    with pytest.raises(AssertionError, match="there is no 'message' in"):
        _ = Answer(200, {}, '{"choices": [{"index": 0}]}').json["choices"][0]["message"]


@pytest.mark.parametrize("choice", ['{"index": 0, "delta": null}', '"none"'])
def test_chunk_that_is_none_is_a_fault_of_form(choice: str) -> None:
    stream = f'data: {{"id": "c", "choices": [{choice}]}}\n\ndata: [DONE]\n\n'

    with pytest.raises(Malformed, match="not a Chunk"):
        _ = Answer(200, {}, stream).chunks
