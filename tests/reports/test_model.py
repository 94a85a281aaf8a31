"""What may stand in a report, and what never gets in."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import reports
from reports.canonical import dumps, load
from reports.errors import UnreadableReport
from reports.exchange import Body
from reports.model import Event, Result
from reports.schemas import PUBLISHED, schema_text
from reports.words import Layer, Outcome
from tests.reports.sample import (
    a_check,
    a_large_report,
    a_report,
    a_result,
    a_target,
    an_exchange,
)

SECRET = "sk-live-0123456789abcdef"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_body_keeps_its_first_bytes_and_counts_the_rest(raw: bytes, limit: int):
    body = Body.of(raw, limit)

    again = Body.model_validate_json(body.model_dump_json())

    assert again.raw == raw[: len(raw) - body.cut]
    assert len(again.raw) <= limit


def test_a_cut_within_a_character_leaves_text():
    body = Body.of("Zürich".encode(), 2)

    assert (body.text, body.encoding, body.cut) == ("Z", "utf-8", 6)


@pytest.mark.parametrize(
    "place",
    [
        {"request_headers": (("Authorization", f"Bearer {SECRET}"),)},
        {"request_headers": (("X-Api-Key", SECRET), ("Cookie", SECRET))},
        {"response_headers": (("Set-Cookie", SECRET),)},
        {"url": f"http://me:{SECRET}@localhost/v1"},
        {"url": f"http://localhost/v1?api_key={SECRET}"},
        {"response_body": Body.of(f"\xff Bearer {SECRET}".encode("latin-1"))},
        {"response_body": Body(text=f'{{"error": "Incorrect API key: {SECRET}"}}')},
    ],
)
def test_secrets_of_an_exchange_never_reach_a_report(place: dict[str, Any]):
    exchange = an_exchange(**place)

    assert SECRET not in exchange.model_dump_json()
    assert SECRET.encode() not in exchange.response_body.raw


def test_secrets_of_a_command_line_log_or_event_never_reach_a_report():
    apart = ("--api-key", SECRET, f"--key=Bearer {SECRET}", f"LOCALAI_API_KEY={SECRET}")
    flags = (*apart, f"--port 80 --hf-token {SECRET} --alias tiny", f"--api-key={SECRET}")
    target = a_target(flags=flags, provider=f"provider-openai 1.1.0, api_key={SECRET}")
    result = a_result(log=f"got Bearer {SECRET}", events=(Event.of("x", {"api_key": SECRET}),))

    assert SECRET not in a_report(result, targets=(target,)).model_dump_json()


def test_flags_that_only_look_like_a_secret_stay():
    flags = ("--max-tokens 64", "--cache-type-k f32", "OLLAMA_HOST=0.0.0.0:{port}", "--keys", "4")

    assert a_target(flags=flags).flags == flags


def test_what_only_looks_like_a_secret_stays():
    body = '{"max_tokens": 20, "token": "risk-averse", "usage": {"total_tokens": 123456}}'

    assert Body.of(body.encode()).text == body


def test_a_lone_surrogate_does_not_stop_a_report():
    result = a_result(Outcome.FAIL, message="\ud800 was the answer", seen="\udfff")

    document = json.loads(dumps(a_report(result)))

    assert document["results"][0]["message"] == "? was the answer"


def test_megabytes_of_log_are_cut_once_with_a_note():
    result = a_result(log="x" * 3_000_000)

    again = Result.model_validate_json(result.model_dump_json())

    assert len(result.log) <= 100_000
    assert result.log.endswith("x… [2900040 more characters]")
    assert again == result


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "A", "", "a..b", "x" * 200])
def test_a_name_that_is_no_file_name_is_refused(name: str):
    with pytest.raises(ValidationError):
        a_check(name)


@pytest.mark.parametrize(
    "results",
    [
        (a_result(check="text.unknown"),),
        (a_result(target="vllm"),),
        (a_result(), a_result(Outcome.FAIL)),
    ],
)
def test_results_that_fit_nowhere_are_refused(results: tuple[Any, ...]):
    with pytest.raises(ValidationError):
        a_report(*results)


def test_a_result_of_a_layer_that_the_check_lacks_is_refused():
    with pytest.raises(ValidationError, match="provider, whole"):
        a_report(a_result(layer=Layer.PROVIDER), checks=(a_check(layers=(Layer.WIRE,)),))


def test_a_report_survives_its_file(tmp_path: Path):
    report = a_large_report(servers=2, checks=10)
    path = tmp_path / "report.json"
    path.write_text(dumps(report))

    assert load(path) == report


def test_a_report_from_before_remedies_for_users_is_still_read(tmp_path: Path):
    document = json.loads(dumps(a_report()))
    for check in document["checks"]:
        del check["for_users"], check["quoted"]
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))

    [check] = load(path).checks

    assert list(check.remedies) == ["For the server's maintainers"]
    assert check.quoted


def test_the_published_schema_is_current():
    published = Path(reports.__file__).parent / PUBLISHED

    assert published.read_text() == schema_text() + "\n"


def test_a_report_keeps_to_the_schema():
    document = json.loads(dumps(a_large_report(servers=2, checks=10)))

    jsonschema.validate(document, json.loads(schema_text()))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema_version": 2}', "schema_version"),
        ("[]", "the document"),
        ("{", "Invalid JSON"),
    ],
)
def test_what_is_no_report_is_told_so(tmp_path: Path, content: str, said: str):
    path = tmp_path / "report.json"
    path.write_text(content)

    with pytest.raises(UnreadableReport, match=said):
        load(path)


@pytest.mark.parametrize("key", [("a", "tuple"), "itself"])
def test_an_event_is_made_of_any_payload(key: object):
    payload: dict[Any, Any] = {}
    payload[key] = payload

    assert json.loads(Event.of("x", payload).data)
