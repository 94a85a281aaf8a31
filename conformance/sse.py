"""A strict reader of server-sent events, sharing no code with any SDK.

Source: WHATWG HTML, section 9.2 (event stream interpretation); `data: [DONE]` is OpenAI's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from conformance.outcome import Malformed

DONE = "[DONE]"
#: May stand before the first line, and is then no part of it.
BOM = b"\xef\xbb\xbf"


class StreamBroken(Malformed):
    """The stream is not what the standard says, or ended before it was over."""


class EventReader:
    """Bytes in, the data of whole events out; comments and other fields are passed over."""

    def __init__(self) -> None:
        self._open = b""
        self._data: list[str] = []
        self._begun = False

    def feed(self, received: bytes) -> Iterator[str]:
        """The data of each event that `received` completes."""
        lines = (self._open + received).splitlines(keepends=True)
        # A line that ends in a bare CR stays open: an LF may follow and belong to it.
        self._open = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            yield from self._line(line.rstrip(b"\r\n").removeprefix(b"" if self._begun else BOM))
            self._begun = True

    def close(self) -> Iterator[str]:
        """Say that no more will come. `StreamBroken` if an event was still open."""
        if self._open.endswith(b"\r"):
            yield from self.feed(b"\n")
        if self._open or self._data:
            raise StreamBroken(f"the stream ended inside an event: {self._open!r}")

    def _line(self, line: bytes) -> Iterator[str]:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(_decoded(value.removeprefix(b" ")))
        elif not line and self._data:
            data, self._data = "\n".join(self._data), []
            yield data


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise StreamBroken(f"an event is not UTF-8: {value!r}") from error


class _UpToDone:
    """Lets data through up to `[DONE]`, which must come, once, and be the last."""

    def __init__(self) -> None:
        self._over = False

    def let_through(self, data: str) -> Iterator[str]:
        if self._over:
            raise StreamBroken(f"an event followed {DONE}: {data!r}")
        self._over = data == DONE
        if not self._over:
            yield data

    def close(self) -> None:
        if not self._over:
            raise StreamBroken(f"the stream ended without data: {DONE}")


async def events(source: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of each event up to `[DONE]`, as it comes. Raises `StreamBroken`."""
    reader, end = EventReader(), _UpToDone()
    async for received in source:
        for data in reader.feed(received):
            for wanted in end.let_through(data):
                yield wanted
    for data in reader.close():
        for wanted in end.let_through(data):
            yield wanted
    end.close()


def all_events(stream: bytes) -> list[str]:
    """The data of every event of a stream that has been read, and need not end in `[DONE]`."""
    reader = EventReader()
    return [data for data in [*reader.feed(stream), *reader.close()] if data != DONE]


def whole_stream(stream: bytes) -> list[str]:
    """The same for a stream that has been read to its end."""
    reader, end = EventReader(), _UpToDone()
    found = [*reader.feed(stream), *reader.close()]
    wanted = [data for event in found for data in end.let_through(event)]
    end.close()
    return wanted
