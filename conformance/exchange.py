"""HTTP read back from what the tap recorded: the evidence behind a result.

h11 reads it; what it can't read is kept as the bytes that came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, TypeAlias

import h11

from reports import Body, Chunk, Exchange
from servers.tap import REFUSED, Connection

Ended: TypeAlias = Literal["complete", "cut", "reset", "timeout", "refused"]

#: Ends of a connection that are not the server's doing: the client did not wait any longer.
_LEFT = {"open", "client closed", "reset by the client"}


@dataclass
class _Request:
    method: str = ""
    path: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    at: float = 0.0


@dataclass
class _Response:
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    complete: bool = False


def exchanges(connections: Sequence[Connection], server: str, since: float) -> list[Exchange]:
    """Each request and response on `connections`, in order; times count from `since`.

    `server` is the real server's address, `http://host:port`, which stands in the URLs.
    """
    found = [pair for connection in connections for pair in _on(connection)]
    found.sort(key=lambda pair: pair[0].at)
    return [
        _exchange(request, response, ended, server, since) for request, response, ended in found
    ]


def _on(connection: Connection) -> Iterator[tuple[_Request, _Response, Ended]]:
    requests = list(_requests(connection))
    responses = _responses(connection, requests)
    for request, response in zip(requests, responses, strict=True):
        yield request, response, _ended(connection, response)


def _requests(connection: Connection) -> Iterator[_Request]:
    reader = h11.Connection(h11.SERVER)
    request = _Request()
    for at, data in _sent(connection, "request"):
        reader.receive_data(data)
        for event in _events(reader):
            match event:
                case h11.Request():
                    request = _Request(
                        event.method.decode(), event.target.decode(), _headers(event), at=at
                    )
                case h11.Data():
                    request.body += bytes(event.data)
                case h11.EndOfMessage():
                    yield request
                    rest, _ = reader.trailing_data
                    reader = h11.Connection(h11.SERVER)
                    if rest:  # nothing would mean that the client closed
                        reader.receive_data(rest)
    if reader.their_state is h11.SEND_BODY:
        yield request


def _responses(connection: Connection, requests: Sequence[_Request]) -> Iterator[_Response]:
    pieces = _sent(connection, "response")
    left_over: list[tuple[float, bytes]] = []
    at = 0.0
    for request in requests:
        reader, response = _reader_for(request), _Response()
        for at, data in chain(left_over, pieces):
            reader.receive_data(data)
            _take(reader, response, at)
            if response.complete:
                break
        left_over = [(at, reader.trailing_data[0])] if reader.trailing_data[0] else []
        if not response.complete and connection.ended == "server closed":
            reader.receive_data(b"")
            _take(reader, response, 0.0)
        yield response


def _reader_for(request: _Request) -> h11.Connection:
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=request.method, target=request.path, headers=[("Host", "-")]))
    reader.send(h11.EndOfMessage())
    return reader


def _take(reader: h11.Connection, response: _Response, at: float) -> None:
    for event in _events(reader):
        match event:
            case h11.Response():
                response.status, response.headers = event.status_code, _headers(event)
            case h11.Data():
                response.pieces.append((at, bytes(event.data)))
            case h11.EndOfMessage():
                response.complete = True


def _events(reader: h11.Connection) -> Iterator[object]:
    """What can be read by now, ending at the end of the message or where HTTP ends."""
    while True:
        try:
            event = reader.next_event()
        except h11.RemoteProtocolError:
            return
        if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
            return
        yield event
        if isinstance(event, h11.EndOfMessage):
            return


def _sent(connection: Connection, direction: str) -> Iterator[tuple[float, bytes]]:
    for chunk in connection.chunks:
        if chunk.direction == direction:
            yield connection.opened + chunk.at, chunk.data


def _headers(event: h11.Request | h11.Response) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in event.headers.raw_items()
    ]


def _ended(connection: Connection, response: _Response) -> Ended:
    if response.complete:
        return "complete"
    if connection.ended == REFUSED:
        return "refused"
    if connection.ended in _LEFT:
        return "timeout"
    return "reset" if connection.ended.startswith("reset") else "cut"


def _exchange(
    request: _Request, response: _Response, ended: Ended, server: str, since: float
) -> Exchange:
    return Exchange(
        method=request.method,
        url=server + request.path,
        request_headers=tuple(request.headers),
        request_body=Body.of(request.body),
        status=response.status,
        response_headers=tuple(response.headers),
        response_body=Body.of(b"".join(data for _, data in response.pieces)),
        started_ms=(request.at - since) * 1000,
        chunks=tuple(
            Chunk(at_ms=(at - request.at) * 1000, size=len(data)) for at, data in response.pieces
        ),
        ended=ended,
    )
