"""Faults that no model's words can be the cause of, as the checks' own bodies tell them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance import (
    test_errors,
    test_fields,
    test_reasoning,
    test_responses,
    test_sampling,
    test_streaming,
    test_text,
    test_tools,
    test_usage,
)
from conformance.outcome import Malformed, NotAnswered, Unsupported
from reports import Mode
from tests.conformance.wire_answers import (
    ERROR,
    STREAM,
    answering,
    answering_in_turn,
    completion,
    stream,
)

NO_CALLS = completion("a lion", tool_calls=[])
DATED = json.dumps(json.loads(completion("a lion")) | {"created": "now"}).encode()


def weighed(**keys: Any) -> bytes:
    """A completion whose only token is told as these keys say."""
    token = {"token": "a lion", "logprob": -0.1, "bytes": [97], "top_logprobs": []} | keys
    told = json.loads(completion("a lion"))
    told["choices"][0]["logprobs"] = {"content": [token]}
    return json.dumps(told).encode()


def counted(**keys: Any) -> bytes:
    """A completion with these keys in its usage."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3} | keys
    return json.dumps(json.loads(completion("a lion")) | {"usage": usage}).encode()


def chunk(**keys: Any) -> dict[str, Any]:
    """A chunk that says something."""
    choice = {"index": 0, "delta": {"content": "a lion"}, "finish_reason": "stop"}
    return {"id": "c", "choices": [choice], **keys}


def responding(status: str, tokens: int) -> bytes:
    """A response of so many tokens that ended so, and doesn't say why."""
    usage = {"input_tokens": 1, "output_tokens": tokens, "total_tokens": 1 + tokens}
    body = {"id": "r", "object": "response", "status": status, "output": [], "usage": usage}
    return json.dumps(body).encode()


def calling(**piece: Any) -> dict[str, Any]:
    """A chunk with a piece of the second of two calls."""
    pieces = [{"index": 0, "id": "a", "type": "function"}, {"index": 1, **piece}]
    return {"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": pieces}}]}


@pytest.mark.parametrize(
    ("body", "status", "answer", "said"),
    [
        (test_errors.test_context_overflow, 500, ERROR, "HTTP 500"),
        (test_errors.test_context_overflow, 404, ERROR, "404 in"),
        (test_fields.test_null, 400, ERROR, "HTTP 400"),
        (test_text.test_plain, 200, b"{}", "not a Completion"),
        (test_text.test_plain, 200, b'{"id": "\xff"}', "not UTF-8"),
        (test_text.test_message_keys, 200, NO_CALLS, "tool_calls"),
        (test_text.test_envelope, 200, DATED, "now"),
        (test_usage.test_adds_up, 200, completion("a lion"), "is not None"),
        (test_usage.test_cached, 200, counted(prompt_tokens_details=1), "prompt_tokens_details"),
        (test_usage.test_cached, 200, counted(prompt_tokens="1"), "prompt_tokens"),
        (test_reasoning.test_tokens, 200, completion("a lion"), "DetailedUsage"),
        (test_sampling.test_logprobs, 200, completion("a lion"), "nothing is told"),
        (test_sampling.test_logprobs, 200, weighed(logprob=None), "logprob"),
        (test_sampling.test_logprobs, 200, weighed(bytes=[256]), "bytes"),
        (test_sampling.test_top_logprobs, 200, weighed(top_logprobs=None), "top_logprobs"),
        (test_sampling.test_several, 200, b'{"choices": [1]}', "not a Completion"),
        (test_responses.test_incomplete, 200, responding("completed", 17), "17 <= 16"),
        (test_responses.test_incomplete, 200, responding("incomplete", 16), "incomplete_details"),
    ],
)
async def test_whole_answer(body: Any, status: int, answer: bytes, said: str) -> None:
    async with answering(status, answer) as ask:
        with pytest.raises(Malformed) as raised:
            await body(ask)

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("body", "answer", "said"),
    [
        (test_text.test_plain, stream({}), "not a Chunk"),
        (test_text.test_plain, b"data: 1", "inside an event"),
        (test_streaming.test_framing, b"nonsense\n" + stream(chunk()), "nonsense"),
        (test_streaming.test_finish_once, stream(chunk(), chunk()), "finish reasons"),
        (test_streaming.test_usage_unasked, stream(chunk(choices=[]), chunk()), "False"),
        (test_tools.test_fragments, stream(calling(id="b")), "name"),
        (test_responses.test_text, b"", "without an event"),
        (test_responses.test_sequence, b"", "without an event"),
    ],
)
async def test_stream(body: Any, answer: bytes, said: str) -> None:
    async with answering(200, answer, STREAM, Mode.STREAM) as ask:
        with pytest.raises(Malformed) as raised:
            await body(ask)

    assert said in str(raised.value)


async def test_stream_of_another_kind_is_a_fault_of_form() -> None:
    async with answering(200, stream(chunk()), {"Content-Type": "a/b"}, Mode.STREAM) as ask:
        with pytest.raises(Malformed, match="a stream came as 'a/b'"):
            await ask("Repeat: tiger")


async def test_answer_to_nonsense_is_a_fault_of_form() -> None:
    async with answering(200, completion("a lion")) as ask:
        with pytest.raises(Malformed, match="HTTP 200"):
            await test_errors.test_malformed_json(ask)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (test_errors.test_context_overflow, completion("a lion")),
        (test_text.test_plain, completion("a lion")),
        (test_fields.test_null, completion("a lion")),
        (test_text.test_message_keys, completion("a lion")),
    ],
)
async def test_words_and_what_another_model_can_do_are_no_fault_of_form(
    body: Any, answer: bytes
) -> None:
    async with answering(200, answer) as ask:
        with pytest.raises(AssertionError) as raised:
            await body(ask)

    assert not isinstance(raised.value, Malformed)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (0, b"", NotAnswered),
        (500, ERROR, NotAnswered),
        (200, stream([1]), Malformed),
        (200, stream({"created": 1}, {"created": 2}), Malformed),
    ],
    ids=["broken", "failed", "no object", "two times"],
)
async def test_time_of_a_stream(
    status: int, answer: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_streaming, "BEFORE", 1.0)
    async with answering(status, answer, STREAM, Mode.STREAM) as ask:
        with pytest.raises(error):
            await test_streaming.test_created(ask)


@pytest.mark.parametrize(("status", "error"), [(400, Unsupported), (401, NotAnswered)])
async def test_refusal_for_the_key_is_not_that_something_is_unsupported(
    status: int, error: type[Exception]
) -> None:
    first = {"id": "r", "object": "response", "status": "completed", "output": []}
    async with answering_in_turn((200, json.dumps(first).encode()), (status, ERROR)) as ask:
        with pytest.raises(error):
            await test_responses.test_previous(ask)
