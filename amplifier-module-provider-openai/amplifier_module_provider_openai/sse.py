"""Server-sent events from bytes, however the network has cut them."""

from __future__ import annotations

from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventReader:
    """Feed it bytes, get the data of each finished event; comments and other fields are dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._begun = False

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Data of every event that `received` completes."""
        lines = (self._rest + received).splitlines(keepends=True)
        # A carriage return at the very end may be the first half of a line end.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].rstrip(b"\r\n").removeprefix(b" "))
            elif self._data and line in {b"\n", b"\r\n", b"\r"}:
                yield self._take()
            elif not self._begun and line.startswith(_BYTE_ORDER_MARK + b"data:"):
                self._data.append(line[8:].rstrip(b"\r\n").removeprefix(b" "))
            self._begun = True

    def close(self) -> Iterator[bytes]:
        """Data of an event that only the end of the stream completes."""
        yield from self.feed(b"\n\n")

    def _take(self) -> bytes:
        data, self._data = self._data, []
        return data[0] if len(data) == 1 else b"\n".join(data)
