"""Server-sent events from bytes, however the network has cut them."""

from __future__ import annotations

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventReader:
    """Feed it bytes, get the data of each finished event; comments and other fields are dropped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[bytes]:
        """Data of every event that `received` completes."""
        if not self._rest and _is_one_event(received):
            return [received[6:-2]]
        buffered = self._rest + received
        if b"\r" in buffered:
            buffered = _with_plain_line_ends(buffered)
        *events, self._rest = buffered.split(b"\n\n")
        found = [_data(event) for event in events]
        return [data for data in found if data is not None]

    def close(self) -> list[bytes]:
        """Data of an event that only the end of the stream completes."""
        return self.feed(b"\n\n")


def _is_one_event(received: bytes) -> bool:
    """The usual case: a server that sends each token in a piece of its own."""
    return (
        received.startswith(b"data: ")
        and received.endswith(b"\n\n")
        and received.count(b"\n") == 2
        and b"\r" not in received
    )


def _with_plain_line_ends(buffered: bytes) -> bytes:
    # A carriage return at the very end may be the first half of a line end.
    body, last = (buffered[:-1], b"\r") if buffered.endswith(b"\r") else (buffered, b"")
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + last


def _data(event: bytes) -> bytes | None:
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = event.removeprefix(_BYTE_ORDER_MARK).split(b"\n")
    data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return b"\n".join(data) if data else None
