"""A byte-exact TCP relay in front of a server: it records both directions, and can do harm.

It knows nothing of HTTP. What it records is what went out on the other side, after the faults:
a client's view. Authorization headers are in it; whoever writes a record down must redact them.
"""

import asyncio
import dataclasses
import itertools
import socket
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

from servers.faults import Fault
from servers.port import LOOPBACK
from servers.relay import Direction, Relay, close

BACKLOG = 128
PAUSE = 0.05
REFUSED = "refused by the server"
#: Of any family: host and port, and for IPv6 more.
Address: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Chunk:
    """Bytes that were read at once; `at` in seconds since the connection was opened."""

    direction: Direction
    at: float
    data: bytes


@dataclass
class Connection:
    """One TCP connection; `opened` in seconds since the epoch; `ended` says how, in words."""

    opened: float
    number: int
    chunks: list[Chunk] = field(default_factory=list)
    ended: str = "open"


class Tap:
    """Relays `port` on loopback to the server, in a thread of its own, from `with` to its end."""

    def __init__(self, host: str, port: int, faults: Sequence[Fault] = ()) -> None:
        self.port = 0
        self._upstream = _addresses(host, port)
        self._faults = tuple(faults)
        self._connections: list[Connection] = []
        self._count = itertools.count()
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
        self._listener.settimeout(0)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="tap", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._listener.close()
        self._loop.close()

    def mark(self) -> int:
        """A moment in the record; later ones are greater."""
        return next(self._count)

    def since(self, mark: int) -> list[Connection]:
        """Connections that were opened after `mark`, with what they carried so far."""
        first = bisect_right(self._connections, mark, key=lambda one: one.number)
        opened = self._connections[first:]
        return [dataclasses.replace(one, chunks=list(one.chunks)) for one in opened]

    @contextmanager
    def inject(self, *faults: Fault) -> Iterator[None]:
        """Connections that are opened meanwhile have these faults instead."""
        before, self._faults = self._faults, faults
        try:
            yield
        finally:
            self._faults = before

    def _work(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        accepting = asyncio.create_task(self._accept())
        await self._stop.wait()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(accepting, *tasks, return_exceptions=True)

    async def _accept(self) -> None:
        relays = set()
        while True:
            try:
                client, _ = await self._loop.sock_accept(self._listener)
            except OSError:  # too many open files, or a client that has gone: others will come
                await asyncio.sleep(PAUSE)
                continue
            relay = asyncio.create_task(self._relay(client, self._faults))
            relays.add(relay)
            relay.add_done_callback(relays.discard)

    async def _relay(self, client: socket.socket, faults: Sequence[Fault]) -> None:
        connection = Connection(opened=time.time(), number=next(self._count))
        self._connections.append(connection)
        opened = time.monotonic()

        def note(direction: Direction, data: bytes) -> None:
            at = time.monotonic() - opened
            connection.chunks.append(Chunk(direction, at, data))

        def ended(why: str) -> None:
            if connection.ended == "open":
                connection.ended = why

        try:
            server = await self._connect(client)
        except OSError:
            ended(REFUSED)
            close(client, reset=True)
            return
        await Relay(client, server, faults, note, ended).run()

    async def _connect(self, client: socket.socket) -> socket.socket:
        """A connection to the first of the server's addresses that takes one."""
        _at_once(client)
        error = OSError("its name leads nowhere")
        for family, address in self._upstream:
            try:
                return await self._connected(socket.socket(family), address)
            except OSError as refused:
                error = refused
        raise error

    async def _connected(self, server: socket.socket, address: Address) -> socket.socket:
        _at_once(server)
        try:
            await self._loop.sock_connect(server, address)
        except OSError:
            server.close()
            raise
        return server


def _at_once(side: socket.socket) -> None:
    side.settimeout(0)
    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _addresses(host: str, port: int) -> list[tuple[int, Address]]:
    """Where a name leads, by IPv6 and IPv4; nowhere where it is unknown."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [(family, address) for family, *_, address in found]
