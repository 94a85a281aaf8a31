"""Chunks put together, and the events they make (contract §1.11 and §3.3)."""

from __future__ import annotations

import re
import tracemalloc
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplifier_module_provider_openai.chat_answer import chat_response
from amplifier_module_provider_openai.chat_chunks import ChunkStream
from amplifier_module_provider_openai.chat_stream import Assembly
from amplifier_module_provider_openai.stream_events import BlockEvents
from scripted_server import Answer, chunk, completion, sse, stream, tool_delta, usage

CHAT = "/chat/completions"
NAMES = {
    "llm:stream_block_start": "start",
    "llm:stream_block_delta": "delta",
    "llm:stream_block_end": "end",
}


def calls_of(*deltas: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Names and arguments of the calls that tool deltas, one list per chunk, make."""
    assembly = Assembly(BlockEvents(None))
    for delta in deltas:
        assembly.feed(chunk(tool_calls=delta))
    assembly.feed(chunk(finish="tool_calls"))
    assembly.close()
    answer = chat_response(assembly, streamed=True)
    return [(call.name, call.arguments) for call in answer.tool_calls or []]


OSLO_AND_LIMA = [("weather", {"city": "Oslo"}), ("weather", {"city": "Lima"})]


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param(
            [
                [tool_delta("", index=0, id="a", type="function", name="weather")],
                [tool_delta('{"city": ', index=0)],
                [tool_delta('"Oslo"}', index=0)],
                [tool_delta("", index=1, id="b", type="function", name="weather")],
                [tool_delta('{"city": "Lima"}', index=1)],
            ],
            id="as OpenAI does",
        ),
        pytest.param(
            [
                [
                    tool_delta('{"city": "Oslo"}', index=0, id="a", name="weather"),
                    tool_delta('{"city": "Lima"}', index=1, id="b", name="weather"),
                ]
            ],
            id="whole calls in one delta",
        ),
        pytest.param(
            [
                [tool_delta('{"city": "Oslo"}', index=0, id="a", name="weather")],
                [tool_delta('{"city": "Lima"}', index=0, id="b", name="weather")],
            ],
            id="all at index 0",
        ),
        pytest.param(
            [
                [tool_delta('{"city": "Oslo"}', id="a", name="weather")],
                [tool_delta('{"city": "Lima"}', id="b", name="weather")],
            ],
            id="no index",
        ),
        pytest.param(
            [
                [
                    tool_delta('{"city": "Oslo"}', name="weather"),
                    tool_delta('{"city": "Lima"}', name="weather"),
                ]
            ],
            id="neither index nor id",
        ),
        pytest.param(
            [
                [tool_delta('{"city"', index=0, id="a", name="weather")],
                [tool_delta('{"city"', index=1, id="b", name="weather")],
                [tool_delta(': "Oslo"}', index=0), tool_delta(': "Lima"}', index=1)],
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                [tool_delta("", index=0, id="a", name="wea")],
                [tool_delta("", index=0, name="ther")],
                [tool_delta('{"city": "Oslo"}', index=0, id="a")],
                [tool_delta('{"city": ', index=1, id="b", name="weather")],
                [tool_delta('"Lima"}', index=1, id="b", name="weather")],
            ],
            id="name in pieces, name and id repeated",
        ),
        pytest.param(
            [
                [tool_delta("", index=0, id="a", name="weather")],
                [{"index": 0, "function": None}],
                [tool_delta({"city": "Oslo"}, index=0)],
                [tool_delta('{"city": "Lima"}', index=None, id="b", name="weather")],
            ],
            id="function null, arguments an object, index null",
        ),
    ],
)
def test_calls_are_put_together(deltas):
    assert calls_of(*deltas) == OSLO_AND_LIMA


def test_calls_without_arguments_follow_each_other():
    deltas = [tool_delta("", name="now"), tool_delta("", name="then")]

    assert calls_of(deltas) == [("now", {}), ("then", {})]


@pytest.fixture
def blocks_of(server, chat, say, events):
    """Streams chunks and returns (what, index, type, text or tool name) of each block event."""

    async def ask(*chunks):
        server.on(CHAT, stream(*chunks))
        await chat.complete(say())
        return [
            (
                NAMES[name],
                data["block_index"],
                data["block_type"],
                data.get("text") or data.get("name"),
            )
            for name, data in events
            if name in NAMES
        ]

    return ask


async def test_each_kind_is_a_block_in_the_order_of_the_content(blocks_of):
    seen = await blocks_of(
        chunk(reasoning="Hm."),
        chunk("Let me look."),
        chunk(tool_calls=[tool_delta("{}", index=0, id="a", name="look")]),
        chunk(tool_calls=[tool_delta("{}", index=1, id="b", name="see")]),
        chunk(finish="tool_calls"),
    )

    assert seen == [
        ("start", 0, "thinking", None),
        ("delta", 0, "thinking", "Hm."),
        ("end", 0, "thinking", None),
        ("start", 1, "text", None),
        ("delta", 1, "text", "Let me look."),
        ("end", 1, "text", None),
        ("start", 2, "tool_use", "look"),
        ("end", 2, "tool_use", None),
        ("start", 3, "tool_use", "see"),
        ("end", 3, "tool_use", None),
    ]


async def test_a_thought_in_the_content_is_a_thinking_block(blocks_of):
    seen = await blocks_of(
        *(chunk(piece) for piece in ("<th", "ink>H", "m.</", "thi", "nk>\n\n4", "2")),
        chunk(finish="stop"),
    )

    texts = {
        kind: "".join(e[3] for e in seen if e[0] == "delta" and e[2] == kind)
        for kind in ("thinking", "text")
    }
    assert texts == {"thinking": "Hm.", "text": "42"}


async def test_empty_pieces_make_no_events(blocks_of):
    seen = await blocks_of(
        chunk("", role="assistant"), chunk("Hi"), chunk(""), chunk(finish="stop")
    )

    assert [event[0] for event in seen] == ["start", "delta", "end"]


async def test_sequences_count_from_zero_in_each_block(server, chat, say, events):
    server.on(CHAT, stream(chunk(reasoning="a"), chunk("b"), chunk(finish="stop")))

    await chat.complete(say())

    deltas = [data for name, data in events if name == "llm:stream_block_delta"]
    assert [(d["block_index"], d["sequence"]) for d in deltas] == [(0, 0), (1, 0)]


async def test_one_request_id_for_the_whole_call(server, chat, say, events):
    server.on(CHAT, stream(chunk("Hi"), chunk(finish="stop")))

    await chat.complete(say())

    ids = {data["request_id"] for name, data in events if name.startswith("llm:")}
    assert len(ids) == 1
    assert len(ids.pop()) == 36


async def test_no_stream_events_for_a_whole_answer(server, chat, say, events):
    server.on(CHAT, Answer.json(completion("Hi")))

    await chat.complete(say(metadata={"stream": False}))

    assert not [name for name, _ in events if name.startswith("llm:stream")]


async def test_events_come_in_order(server, chat, say, events):
    server.on(CHAT, stream(chunk("Hi"), chunk(finish="stop")))

    await chat.complete(say())

    assert [name for name, _ in events] == [
        "llm:request",
        "provider:concurrency",
        "llm:stream_block_start",
        "llm:stream_block_delta",
        "llm:stream_block_end",
        "llm:response",
    ]


async def test_what_arrives_while_a_hook_works_goes_out_as_one_delta(
    server, chat, say, coordinator, events
):
    server.on(CHAT, stream(*(chunk(f"{n} ") for n in range(500)), chunk(finish="stop")))

    answer = await chat.complete(say())

    deltas = [data for name, data in events if name == "llm:stream_block_delta"]
    assert "".join(data["text"] for data in deltas) == answer.text
    assert [data["sequence"] for data in deltas] == list(range(len(deltas)))
    assert len(deltas) < 500


def peak_of(chunks: int) -> int:
    """Most bytes held while a stream of so many chunks is read, the answer included."""
    word = sse(chunk("word "), done=False)
    tracemalloc.start()
    reading = ChunkStream(Assembly(BlockEvents(None)), lambda: None)
    for _ in range(chunks):
        reading.take(word)
    reading.take(sse(chunk(finish="stop")))
    reading.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_a_long_stream_takes_its_text_and_a_constant():
    short, long = peak_of(500), peak_of(50_000)

    assert long - short < 3 * len("word ") * 50_000


CONTENT = st.text(alphabet="ab<>/think é\n{", max_size=12)
ARGUMENTS = st.dictionaries(CONTENT, CONTENT | st.integers() | st.none(), max_size=3)
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@st.composite
def streams(draw: Any) -> tuple[bytes, list[dict[str, Any]]]:
    """Bytes of a valid stream with comments and any line ends, and the chunks in it."""
    chunks = [chunk(text) for text in draw(st.lists(CONTENT, max_size=6))]
    if draw(st.booleans()):
        chunks.insert(0, chunk(reasoning="Hm."))
    if draw(st.booleans()):
        chunks.append(chunk(tool_calls=[tool_delta("{}", index=0, id="a", name="look")]))
    chunks += [chunk(finish="stop"), {**chunk(), "choices": [], "usage": usage()}]
    events = []
    for event in chunks:
        events += [b": keep-alive\n\n"] if draw(st.booleans()) else []
        events.append(sse(event, done=False))
    body = b"".join([*events, b"data: [DONE]\n\n"]).replace(b"\n", draw(LINE_ENDS))
    return body, chunks


def assembled(pieces: list[bytes]) -> Any:
    reading = ChunkStream(Assembly(BlockEvents(None)), lambda: None)
    for piece in pieces:
        reading.take(piece)
    reading.close()
    return chat_response(reading.assembly, streamed=True)


@given(streams(), st.lists(st.integers(0, 2000), max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_chunking_of_any_stream_gives_the_same_answer(made, places):
    body, _ = made
    cuts = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})

    in_pieces = assembled([body[a:b] for a, b in pairwise(cuts)])
    at_once = assembled([body])
    byte_by_byte = assembled([body[at : at + 1] for at in range(len(body))])
    events = re.split(rb"(?<=\n\n)", body)
    by_events = assembled(events)
    by_two_events = assembled([b"".join(pair) for pair in batched(events)])

    assert in_pieces == at_once == byte_by_byte == by_events == by_two_events


def test_an_event_of_several_lines_in_a_piece_of_its_own():
    word = sse(chunk("Hello"), done=False)
    named = word.replace(b"\n\n", b"\nid: {7}\n\n")

    answer = assembled([word, named, named, sse(chunk(finish="stop"))])

    assert answer.text == "HelloHelloHello"


def test_what_comes_after_the_end_is_no_part_of_the_answer():
    word, end = sse(chunk("Hello"), done=False), sse(chunk(finish="stop"))

    assert assembled([word, end, word]).text == "Hello"


def batched(events: list[bytes]) -> list[list[bytes]]:
    return [events[at : at + 2] for at in range(0, len(events), 2)]


def answer(pieces: list[str]) -> Any:
    """What these pieces of content make, streamed."""
    assembly = Assembly(BlockEvents(None))
    for piece in pieces:
        assembly.feed(chunk(piece))
    assembly.feed(chunk(finish="stop"))
    assembly.close()
    return chat_response(assembly, streamed=True)


@given(st.lists(CONTENT, max_size=8))
@settings(max_examples=300, deadline=None)
def test_content_means_the_same_however_it_is_cut(texts):
    whole = answer(["".join(texts)])

    assert answer(texts).text == whole.text
    assert answer(list("".join(texts))).content == whole.content


TAGS = ["<think>", "</think>", "<", "a", " ", "\n", "`", "</thi"]


@given(st.lists(st.sampled_from(TAGS), max_size=10), st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=400, deadline=None)
def test_tags_mean_the_same_however_they_are_cut(tokens, places):
    content = "".join(tokens)
    cuts = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})

    in_pieces = answer([content[a:b] for a, b in pairwise(cuts)])

    assert in_pieces.content == answer([content]).content == answer(list(content)).content
