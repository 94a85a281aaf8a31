"""The tap carries every byte, records it, and does only the harm it was asked for."""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from servers import InvalidFault
from servers.faults import (
    FLUSH,
    Cut,
    Delay,
    End,
    Fault,
    Pause,
    Replace,
    Reset,
    Split,
    parse_fault,
)
from servers.relay import TOGETHER
from servers.tap import Connection, Tap

Behaviour = Callable[[socket.socket], None]


@contextmanager
def server(behave: Behaviour, host: str = "127.0.0.1") -> Iterator[int]:
    """A TCP server that treats each connection in the same manner; gives its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                behave(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def sends(*pieces: bytes) -> Behaviour:
    """Reads something, then sends these pieces one by one and closes."""

    def behave(peer: socket.socket) -> None:
        peer.recv(1000)
        for piece in pieces:
            peer.sendall(piece)
            time.sleep(0.01)

    return behave


def echo(peer: socket.socket) -> None:
    """Sends everything back."""
    while data := peer.recv(65536):
        peer.sendall(data)


def answers_and_closes(peer: socket.socket) -> None:
    """Answers, and closes in the same packet."""
    peer.recv(1000)
    peer.send(b"answer", TOGETHER)


def refuses_to_read(peer: socket.socket) -> None:
    """Answers and closes with a request unread, so that the kernel resets the connection."""
    peer.recv(1)
    peer.sendall(b"404")


def ask(port: int, request: bytes = b"question") -> bytes:
    """Everything that comes back until the close."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(request)
        return read_all(client)


def send_all(client: socket.socket, data: bytes) -> None:
    """Send, and say that this was all."""
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)


def read_all(client: socket.socket) -> bytes:
    """Bytes until the end of the stream."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def response(connection: Connection) -> bytes:
    """What the record says that the client was sent."""
    return b"".join(c.data for c in connection.chunks if c.direction == "response")


def settled(tap: Tap) -> Connection:
    """The first connection, once the tap knows how it ended."""
    while not tap.since(-1) or tap.since(-1)[0].ended == "open":
        time.sleep(0.005)
    return tap.since(-1)[0]


def test_both_directions_are_carried_and_recorded():
    with server(sends(b"an", b"swer")) as port, Tap("127.0.0.1", port) as tap:
        answer = ask(tap.port)
        connection = settled(tap)

    assert answer == b"answer"
    assert [(c.direction, c.data) for c in connection.chunks] == [
        ("request", b"question"),
        ("response", b"an"),
        ("response", b"swer"),
    ]
    assert connection.ended == "server closed"
    assert [c.at for c in connection.chunks] == sorted(c.at for c in connection.chunks)


def test_millions_of_bytes_pass_unchanged_both_ways_at_once():
    sent = bytes(range(256)) * 20_000

    with (
        server(echo) as port,
        Tap("127.0.0.1", port) as tap,
        socket.create_connection(("127.0.0.1", tap.port)) as client,
    ):
        writer = threading.Thread(target=send_all, args=(client, sent))
        writer.start()
        received = read_all(client)
        writer.join()

    assert received == sent


def test_since_gives_connections_that_were_opened_after_the_mark():
    with server(echo) as port, Tap("127.0.0.1", port) as tap:
        with socket.create_connection(("127.0.0.1", tap.port)) as client:
            client.sendall(b"first")
            client.recv(100)
            mark = tap.mark()
            client.sendall(b"late")
            client.recv(100)
        with socket.create_connection(("127.0.0.1", tap.port)) as client:
            client.sendall(b"second")
            client.recv(100)

            assert [[c.data for c in one.chunks] for one in tap.since(mark)] == [[b"second"] * 2]
            assert [len(one.chunks) for one in tap.since(-1)] == [4, 2]
            assert tap.since(tap.mark()) == []


def test_close_of_the_client_reaches_the_server():
    closed = threading.Event()

    def wait_for_close(peer: socket.socket) -> None:
        if peer.recv(10) == b"":
            closed.set()

    with server(wait_for_close) as port, Tap("127.0.0.1", port) as tap:
        socket.create_connection(("127.0.0.1", tap.port)).close()

        assert closed.wait(10)
        assert settled(tap).ended == "client closed"


def test_reset_by_the_server_is_a_reset_for_the_client():
    with (
        server(refuses_to_read) as port,
        Tap("127.0.0.1", port) as tap,
        socket.create_connection(("127.0.0.1", tap.port)) as client,
    ):
        client.sendall(b"a question that is not read")

        with pytest.raises(ConnectionResetError):
            assert read_all(client) != b"404"
        assert settled(tap).ended == "reset by the server"
        assert response(settled(tap)) == b"404"


def test_close_right_after_an_answer_is_known_as_soon_as_the_answer():
    with server(answers_and_closes) as port, Tap("127.0.0.1", port) as tap:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", tap.port)) as client:
                client.sendall(b"question")
                assert client.recv(100) == b"answer"

                client.settimeout(0)
                assert client.recv(100) == b""


def test_server_that_listens_by_ipv6_alone_is_reached():
    with server(sends(b"answer"), "::1") as port, Tap("::1", port) as tap:
        assert ask(tap.port) == b"answer"


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch):
    real = socket.getaddrinfo

    def found(host: str, *args: Any, **options: Any) -> list[Any]:
        hosts = ["127.0.0.1", "::1"] if host == "two.invalid" else [host]
        return [address for one in hosts for address in real(one, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", found)

    with server(sends(b"answer"), "::1") as port, Tap("two.invalid", port) as tap:
        assert ask(tap.port) == b"answer"


def test_name_that_leads_nowhere_is_a_reset():
    with Tap("nowhere.invalid", 80) as tap:
        with pytest.raises(ConnectionResetError):
            ask(tap.port)

        assert settled(tap).ended == "refused by the server"


def test_nobody_upstream_is_a_reset():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with Tap("127.0.0.1", port) as tap:
        with pytest.raises(ConnectionResetError):
            ask(tap.port)

        assert settled(tap).ended == "refused by the server"


@pytest.mark.parametrize("after", [0, 3, 6])
def test_cut_closes_after_so_many_bytes(after: int):
    with server(sends(b"answer", b"more")) as port, Tap("127.0.0.1", port, [Cut(after)]) as tap:
        answer = ask(tap.port)
        connection = settled(tap)

    assert answer == response(connection) == b"answer"[:after]
    assert connection.ended == "cut by the tap"


def test_reset_is_a_real_one():
    with (
        server(sends(b"answer")) as port,
        Tap("127.0.0.1", port, [Reset(3)]) as tap,
        socket.create_connection(("127.0.0.1", tap.port)) as client,
    ):
        client.sendall(b"question")

        assert client.recv(3) == b"ans"
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_delay_holds_back_the_first_byte():
    with server(sends(b"an", b"swer")) as port, Tap("127.0.0.1", port, [Delay(0.2)]) as tap:
        answer = ask(tap.port)
        _, first, *_ = settled(tap).chunks

    assert answer == b"answer"
    assert first.at >= 0.2


def test_split_sends_single_bytes():
    with server(sends("zwölf".encode())) as port, Tap("127.0.0.1", port, [Split(1)]) as tap:
        answer = ask(tap.port)
        pieces = [c.data for c in settled(tap).chunks if c.direction == "response"]

    assert answer == "zwölf".encode()
    assert [len(piece) for piece in pieces] == [1] * 6


@pytest.mark.parametrize(
    "pieces", [[b"a stop b stop"], [b"a st", b"op b s", b"t", b"op"], [b"a s", b"top b", b" stop"]]
)
def test_replace_finds_its_bytes_across_reads_and_keeps_the_length(pieces: list[bytes]):
    fault = Replace(b"stop", b"go")

    with server(sends(*pieces)) as port, Tap("127.0.0.1", port, [fault]) as tap:
        answer = ask(tap.port)

    assert answer == b"a go   b go  "


def test_replace_does_not_keep_the_last_bytes_of_an_answer_back():
    with (
        server(echo) as port,
        Tap("127.0.0.1", port, [Replace(b"stop", b"go")]) as tap,
        socket.create_connection(("127.0.0.1", tap.port)) as client,
    ):
        client.sendall(b"a last s")

        assert b"".join(client.recv(1) for _ in range(8)) == b"a last s"


def test_faults_act_together_in_their_order():
    faults: list[Fault] = [Replace(b"old", b"new"), Split(2), Cut(5)]

    with server(sends(b"old things")) as port, Tap("127.0.0.1", port, faults) as tap:
        assert ask(tap.port) == b"new t"


def test_injected_faults_end_with_their_block():
    with server(sends(b"answer")) as port, Tap("127.0.0.1", port) as tap:
        with tap.inject(Cut(2)):
            harmed = ask(tap.port)

        assert (harmed, ask(tap.port)) == (b"an", b"answer")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cut:200", Cut(200)),
        ("reset:0", Reset(0)),
        ("delay:0.5", Delay(0.5)),
        ("split:1", Split(1)),
        ('replace:"stop"=>"tool"', Replace(b'"stop"', b'"tool"')),
    ],
)
def test_faults_are_read_from_a_command_line(text: str, fault: Fault):
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    ["", "cut", "cut:many", "melt:1", "replace:a", "replace:a=>longer", "replace:=>", "split:0"],
)
def test_text_that_is_no_fault_is_refused_with_a_hint(text: str):
    with pytest.raises(InvalidFault) as caught:
        parse_fault(text)

    assert caught.value.hint


def test_error_of_one_connection_does_not_end_the_tap(monkeypatch: pytest.MonkeyPatch):
    real, failures = asyncio.SelectorEventLoop.sock_accept, [OSError(errno.EMFILE, "too many")]

    async def accept(self: asyncio.SelectorEventLoop, listener: socket.socket) -> Any:
        if failures:
            raise failures.pop()
        return await real(self, listener)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_accept", accept)

    with server(sends(b"answer")) as port, Tap("127.0.0.1", port) as tap:
        assert ask(tap.port) == b"answer"
    assert not failures


async def test_delay_pauses_once_before_the_first_byte():
    async def steps() -> AsyncIterator[Any]:
        for step in (FLUSH, b"an", b"swer", End("server closed")):
            yield step

    seen = [step async for step in Delay(0.2).apply(steps())]

    assert seen == [FLUSH, Pause(0.2), b"an", b"swer", End("server closed")]
