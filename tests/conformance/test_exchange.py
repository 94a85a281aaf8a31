"""HTTP, read back from the bytes that the tap recorded."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from conformance.exchange import exchanges
from reports import Exchange
from servers.faults import Cut, Reset
from servers.tap import Tap

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 404 Not Found\r\n\r\nNot Found"


@contextmanager
def server(*answers: bytes) -> Iterator[int]:
    """The port of a server that gives these answers on one connection, then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for answer in answers:
                _read_request(connection)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def _read_request(connection: socket.socket) -> None:
    """Read a request whole: head and body may come apart."""
    head, length = b"", 0
    while b"\r\n\r\n" not in head or len(head.partition(b"\r\n\r\n")[2]) < length:
        received = connection.recv(65536)
        if not received:
            return
        head += received
        found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        length = int(found[1]) if found else 0


def recorded(tap: Tap) -> list[Exchange]:
    """Everything that went through."""
    return exchanges(tap.since(-1), "http://real:1", since=0.0)


def test_two_exchanges_of_one_connection() -> None:
    with server(WHOLE, CHUNKED) as port, Tap("127.0.0.1", port) as tap, httpx.Client() as client:
        client.post(f"http://127.0.0.1:{tap.port}/a?b=c", content=b"one")
        client.get(f"http://127.0.0.1:{tap.port}/d")

        first, second = recorded(tap)

    assert (first.method, first.url, first.request_body.raw) == (
        "POST",
        "http://real:1/a?b=c",
        b"one",
    )
    assert (first.status, first.response_body.raw, first.ended) == (200, b"ok", "complete")
    assert ("X-A", "b") in first.response_headers
    assert (second.method, second.response_body.raw, second.ended) == ("GET", b"abcde", "complete")
    assert [chunk.size for chunk in second.chunks] == [2, 3]


def test_body_that_ends_with_the_connection_is_complete() -> None:
    with server(UNTIL_CLOSE) as port, Tap("127.0.0.1", port) as tap:
        httpx.get(f"http://127.0.0.1:{tap.port}/")

        (only,) = recorded(tap)

    assert (only.status, only.response_body.raw, only.ended) == (404, b"Not Found", "complete")


@pytest.mark.parametrize(("fault", "ended"), [(Cut(60), "cut"), (Reset(60), "reset")])
def test_answer_that_breaks_off_says_how(fault: Cut | Reset, ended: str) -> None:
    with server(CHUNKED) as port, Tap("127.0.0.1", port, faults=[fault]) as tap:
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{tap.port}/")

        (only,) = recorded(tap)

    assert (only.status, only.ended) == (200, ended)


def test_client_that_leaves_is_no_fault_of_the_servers() -> None:
    with server(CHUNKED[:60], b"") as port, Tap("127.0.0.1", port) as tap:
        with httpx.stream("GET", f"http://127.0.0.1:{tap.port}/") as response:
            next(response.iter_raw())

        (only,) = recorded(tap)

    assert (only.status, only.ended) == (200, "timeout")


def test_credentials_are_not_kept() -> None:
    with server(WHOLE) as port, Tap("127.0.0.1", port) as tap:
        httpx.get(f"http://127.0.0.1:{tap.port}/", headers={"Authorization": "Bearer sk-secret"})

        (only,) = recorded(tap)

    assert "sk-secret" not in only.model_dump_json()
