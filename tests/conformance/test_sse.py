"""The strict reader of server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.outcome import Malformed
from conformance.sse import EventReader, StreamBroken, events


async def read(*pieces: bytes) -> list[str]:
    """The events of a stream that comes in these pieces."""

    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [data async for data in events(source())]


def cut(stream: bytes, places: Sequence[int]) -> list[bytes]:
    """`stream` cut at `places`."""
    edges = [0, *sorted({place % (len(stream) + 1) for place in places}), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


async def test_reads_events_up_to_done() -> None:
    seen = await read(b'data: {"a": 1}\n\ndata: {"a": 2}\n\ndata: [DONE]\n\n')

    assert seen == ['{"a": 1}', '{"a": 2}']


async def test_passes_over_comments_and_other_fields() -> None:
    seen = await read(b": ping\n\nevent: x\nid: 7\ndata: 1\n\ndata: [DONE]\n\n")

    assert seen == ["1"]


async def test_mark_before_the_first_line_is_no_part_of_it() -> None:
    mark = b"\xef\xbb\xbf"

    assert await read(mark + b"data: 1\n\ndata: [DONE]\n\n") == ["1"]
    with pytest.raises(StreamBroken, match="without data"):
        await read(b"data: 1\n\n" + mark + b"data: [DONE]\n\n")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine may be busy
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")), min_size=1
    ),
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    places=st.lists(st.integers(min_value=0)),
)
def test_any_cutting_gives_the_same_events(
    texts: list[str], newline: bytes, places: list[int]
) -> None:
    stream = b"".join(b"data: " + text.encode() + newline * 2 for text in texts)
    reader = EventReader()

    seen = [data for piece in cut(stream, places) for data in reader.feed(piece)]
    seen += reader.close()

    assert seen == texts


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (b"data: 1\n\n", "without data"),
        (b"data: 1\n\ndata: [DO", "inside an event"),
        (b"data: [DONE]\n\ndata: 2\n\n", "followed"),
        (b"data: [DONE]\n\ndata: [DONE]\n\n", "followed"),
        (b"data: \xff\n\ndata: [DONE]\n\n", "UTF-8"),
        (b"", "without data"),
    ],
)
async def test_says_what_is_wrong(stream: bytes, fault: str) -> None:
    with pytest.raises(StreamBroken, match=fault):
        await read(stream)
    assert issubclass(StreamBroken, Malformed)
