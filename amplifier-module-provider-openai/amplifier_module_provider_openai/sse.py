"""Server-sent events from bytes, however the network has cut them."""

from __future__ import annotations

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventReader:
    """Feed it bytes, get the data of each finished event; comments and other fields are dropped.

    An event called `error`, and llama.cpp's field of that name, come out as an error object.
    `rest` is the beginning of an event that isn't finished.
    """

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, received: bytes) -> list[bytes]:
        """Data of every event that `received` completes."""
        buffered = self.rest + received
        if b"\r" in buffered:
            buffered = _with_plain_line_ends(buffered)
        *events, self.rest = buffered.split(b"\n\n")
        found = [_data(event) for event in events]
        return [data for data in found if data is not None]

    def close(self) -> list[bytes]:
        """Data of an event that only the end of the stream completes."""
        return self.feed(b"\n\n")


def _with_plain_line_ends(buffered: bytes) -> bytes:
    # A carriage return at the very end may be the first half of a line end.
    body, last = (buffered[:-1], b"\r") if buffered.endswith(b"\r") else (buffered, b"")
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + last


def _data(event: bytes) -> bytes | None:
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = event.removeprefix(_BYTE_ORDER_MARK).split(b"\n")
    data, failure = _field(lines, b"data:"), _field(lines, b"error:")
    if data and _field(lines, b"event:") == b"error":
        failure = data
    return b'{"error":' + failure + b"}" if failure else data


def _field(lines: list[bytes], name: bytes) -> bytes | None:
    values = [line[len(name) :].removeprefix(b" ") for line in lines if line.startswith(name)]
    return b"\n".join(values) if values else None
