"""What a server sends, read strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.chunks import Assembly
from conformance.completion import Chunk, Completion, ErrorBody
from conformance.outcome import Malformed


def chunk(delta: dict[str, Any], finish: str | None = None) -> Chunk:
    """A chunk as servers send it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return Chunk.read(
        json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})
    )


def fragment(index: int, arguments: str, **header: str) -> dict[str, Any]:
    """A delta with a piece of a tool call; `header` holds id and name."""
    function = {"arguments": arguments} | ({"name": header["name"]} if header else {})
    head = {"id": header["id"]} if header else {}
    return {"tool_calls": [{"index": index, "function": function} | head]}


def test_assembles_text_and_reasoning() -> None:
    assembly = Assembly()

    for delta in ({"role": "assistant", "content": None}, {"reasoning": "hm"}, {"content": "a"}):
        assembly.add(chunk(delta))
    assembly.add(chunk({"content": "b"}, "stop"))

    reply = assembly.reply()
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("ab", "hm", "stop")
    assert reply.deltas == ["a", "b"]


def test_assembles_two_calls_whose_pieces_alternate() -> None:
    assembly = Assembly()

    assembly.add(chunk(fragment(0, '{"city"', id="a", name="get_weather")))
    assembly.add(chunk(fragment(1, '{"city"', id="b", name="get_time")))
    assembly.add(chunk(fragment(0, ':"Oslo"}')))
    assembly.add(chunk(fragment(1, ':"Lima"}'), "tool_calls"))

    calls = assembly.reply().tool_calls
    assert [(call.id, call.name) for call in calls] == [("a", "get_weather"), ("b", "get_time")]
    assert [call.arguments for call in calls] == [{"city": "Oslo"}, {"city": "Lima"}]


def test_name_that_comes_twice_is_a_fault() -> None:
    assembly = Assembly()
    assembly.add(chunk(fragment(0, "", id="a", name="get_time")))

    with pytest.raises(Malformed, match="came twice"):
        assembly.add(chunk(fragment(0, "{}", id="a", name="get_time")))


def test_stream_without_finish_reason_is_a_fault() -> None:
    assembly = Assembly()
    assembly.add(chunk({"content": "a"}))

    with pytest.raises(Malformed, match="without a finish reason"):
        assembly.reply()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<html>", "body"),
        ('{"object": "chat.completion"}', "choices"),
        ('{"id": "c", "object": "chat.completion", "model": "m", "choices": []}', "choices"),
        ('{"id": "c", "object": "chat.completion", "model": "m", "choices": [NaN]}', "not JSON"),
        ('{"usage": -Infinity}', "not JSON"),
    ],
)
def test_what_is_no_completion_is_named(text: str, place: str) -> None:
    with pytest.raises(Malformed, match=place):
        Completion.read(text)


def test_choice_behind_the_end_is_a_fault() -> None:
    assembly = Assembly()
    assembly.add(chunk({"content": "a"}, "stop"))

    with pytest.raises(Malformed, match="after the finish reason"):
        assembly.add(chunk({"content": "b"}))


@pytest.mark.parametrize("error", ['{"message": "no"}', '"no"'])
def test_error_is_an_object_or_a_string(error: str) -> None:
    body = ErrorBody.read(f'{{"error": {error}}}')

    assert body.message == "no"
