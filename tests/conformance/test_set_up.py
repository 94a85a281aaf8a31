"""What a server was started without is told apart from what it does wrong."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from conformance.bench import Bench
from conformance.protocol import Protocol
from conformance.set_up import lacking
from reports import Body, Exchange

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>'
TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": {"name": "get_weather"}}]}


class Reading:
    """Stands for a bench whose server is known to read markup, or not to."""

    def __init__(self, *markup: str, protocol: Protocol = Protocol.CHAT) -> None:
        self.protocol = protocol
        self.knows = {one: one in markup for one in ("<tool_call>", "<think>", "/responses")}


def exchange(status: int, answer: Any, **asked: Any) -> Exchange:
    """One chat completion."""
    return Exchange(
        method="POST",
        url="http://127.0.0.1:8000/v1/chat/completions",
        request_body=Body.of(json.dumps(asked).encode()),
        status=status,
        response_headers=(("Content-Type", "application/json"),),
        response_body=Body.of(json.dumps(answer).encode()),
        started_ms=0,
        ended="complete",
    )


def said(text: str, finish: str = "stop", **asked: Any) -> Exchange:
    """An answer of this text."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    body = {"id": "a", "object": "chat.completion", "model": "tiny", "choices": [choice]}
    return exchange(200, body, **asked)


def told(seen: Exchange, *markup: str) -> str | None:
    """The evidence, where the server reads this markup when it is asked plainly."""
    return lacking(cast("Bench", Reading(*markup)), [seen])


@pytest.mark.parametrize(
    ("seen", "evidence"),
    [
        (said(CALL, **TOOLS), "<tool_call> stands in the text"),
        (said("<think>\nI repeat.\n</think>\ntiger"), "<think> stands in the text"),
        (
            exchange(400, {"error": {"message": '"auto" requires --enable-auto-tool-choice'}}),
            "--enable-auto-tool-choice",
        ),
    ],
    ids=["call", "thought", "option"],
)
def test_evidence_is_told(seen: Exchange, evidence: str) -> None:
    assert evidence in (told(seen) or "")


@pytest.mark.parametrize(
    "seen",
    [
        said("tiger", **TOOLS),
        said(CALL),
        said(CALL, finish="length", **TOOLS),
        said(CALL, tool_choice="none", **TOOLS),
        exchange(400, {"error": {"message": "temperature - at least 0"}}),
        exchange(500, "--"),
    ],
    ids=["words", "no tools", "cut", "forbidden", "other error", "no error"],
)
def test_nothing_else_is_the_set_up(seen: Exchange) -> None:
    assert told(seen) is None


def test_what_the_server_reads_otherwise_is_no_lack_of_a_parser() -> None:
    assert told(said(CALL, **TOOLS), "<tool_call>") is None


def astray(status: int) -> Exchange:
    """What comes where Responses are asked for and are not there."""
    url = "http://127.0.0.1:8000/v1/responses"
    return exchange(status, {"error": {"message": "Not Found"}}).model_copy(update={"url": url})


def test_responses_that_the_server_has_not_are_the_set_up() -> None:
    bench = cast("Bench", Reading(protocol=Protocol.RESPONSES))

    assert "no Responses API" in (lacking(bench, [astray(404)]) or "")


@pytest.mark.parametrize(
    ("bench", "status"),
    [
        (Reading("/responses", protocol=Protocol.RESPONSES), 404),
        (Reading(protocol=Protocol.AUTO), 404),
        (Reading(protocol=Protocol.RESPONSES), 500),
    ],
    ids=["a stand-in's word", "not told to", "another error"],
)
def test_responses_that_fail_otherwise_are_not(bench: Reading, status: int) -> None:
    assert lacking(cast("Bench", bench), [astray(status)]) is None
