"""A server that gives some answers of its own, and leaves the rest to the target behind it."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from conformance.protocol import Protocol
from conformance.provider import ProviderAsker
from conformance.wire import certificates
from servers.tap import Chunk, Connection

#: Closing a socket that lingers for no time resets the connection.
_NO_LINGER = struct.pack("ii", 1, 0)
_HOP = {"host", "connection", "content-length", "transfer-encoding"}
#: The module remembers base URLs, and the system gives a port to several stand-ins in turn.
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Canned:
    """An answer that the target never gave.

    With `reset` the request's body is left unread and the connection breaks after the answer,
    as mlx_lm.server does it with a path that it does not serve. With `hangs` the connection is
    left open after the answer until the client closes it. Status 0 is no answer at all.
    """

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    hangs: bool = False

    def __bytes__(self) -> bytes:
        """The response as it goes over the wire."""
        if not self.status:
            return b""
        fields = {"Content-Type": "application/json", **self.headers}
        return _head(self.status, fields) + self.body.encode()


#: Answers a path, or leaves it to the target with None.
Answers: TypeAlias = Callable[[str], Canned | None]


def in_turn(*answers: Canned | None) -> Answers:
    """Give one answer after another, and then leave all requests to the target."""
    left = iter(answers)
    return lambda _: next(left, None)


def always(answer: Canned | None) -> Answers:
    """Answer every request like this."""
    return lambda _: answer


def refusing(path: str, answer: Canned) -> Answers:
    """Answer every request to a path that ends like this, and leave the others to the target."""
    return lambda asked: answer if asked.endswith(path) else None


class StandIn:
    """One that is listening at the base URL `url`.

    `asked` holds the paths of the requests so far, as they are where a base URL ends in `/v1`,
    whatever the target's own is; `came` when each of them did, in seconds of a clock that only goes
    on; `received` their bodies as far as it read them,
    `exchanged` the connections that it answered itself, as a tap would have recorded them.
    `most` is how many requests were under way at once, `left` how often a client went away from
    the silence that it was met with; `silences` can be acquired once for each of these.
    """

    def __init__(self, target: str, answers: Answers, client: httpx.AsyncClient) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.came: list[float] = []
        self.received: list[bytes] = []
        self.exchanged: list[Connection] = []
        self.most = 0
        self.left = 0
        self.silences = asyncio.Semaphore(0)
        self._under_way = 0
        parts = urlsplit(target)
        #: Behind a number, so that the target knows every path that is asked of it.
        self._path = parts.path.rstrip("/")
        self._target = f"{parts.scheme}://{parts.netloc}"
        self._number = f"/{next(_numbers)}"
        self._answers = answers
        self._client = client

    def listens(self, port: int) -> None:
        """From now on it is to be found at a port of loopback."""
        self.url = f"http://127.0.0.1:{port}{self._number}{self._path}"

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the requests, read."""
        return [json.loads(body) for body in self.received if body]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        with suppress(OSError, asyncio.IncompleteReadError, httpx.HTTPError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came = time.time()
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, headers = _read_head(head)
        path = path.removeprefix(self._number)
        self.asked.append(self._as_usual(path))
        self.came.append(time.monotonic())
        answer = self._answers(self.asked[-1])
        if answer and answer.reset:
            self._note(came, head, bytes(answer), "reset by the server")
            _break(writer, bytes(answer))
            return
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received.append(body)
        if answer:
            ended = "open" if answer.hangs else "server closed"
            self._note(came, head + body, bytes(answer), ended)
            await self._give(answer, reader, writer)
        else:
            writer.write(await self._asked_for(method, path, body, headers))

    def _as_usual(self, path: str) -> str:
        below = path.removeprefix(self._path)
        return f"/v1{below}" if path.startswith(f"{self._path}/") else path

    async def _give(
        self, answer: Canned, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(bytes(answer))
        if answer.hangs:
            self.silences.release()
            await reader.read()
            self.left += 1

    async def _asked_for(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> bytes:
        """The target's answer; it is under way until the client could have any of it."""
        kept = {name: value for name, value in headers.items() if name not in _HOP}
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            url = self._target + path
            response = await self._client.request(method, url, content=body, headers=kept)
        finally:
            self._under_way -= 1
        kind = response.headers.get("content-type", "")
        return _head(response.status_code, {"Content-Type": kind}) + response.content

    def _note(self, came: float, request: bytes, response: bytes, ended: str) -> None:
        chunks = [Chunk("request", 0, request)]
        if response:
            chunks.append(Chunk("response", time.time() - came, response))
        self.exchanged.append(Connection(came, len(self.exchanged), chunks, ended))


@asynccontextmanager
async def stand_in(url: str, answers: Answers) -> AsyncIterator[StandIn]:
    """A stand-in for the server at the base URL `url`, under a URL that no other one had."""
    # As the wire asks: llama.cpp closes kept connections, and a lost request is no module's fault.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        trust_env=False, verify=certificates(), timeout=60, limits=limits
    ) as client:
        stand = StandIn(url, answers, client)
        server = await asyncio.start_server(stand.serve, "127.0.0.1", 0)
        stand.listens(server.sockets[0].getsockname()[1])
        try:
            yield stand
        finally:
            server.close()


@asynccontextmanager
async def facing(
    ask: ProviderAsker, answers: Answers, **config: Any
) -> AsyncIterator[tuple[ProviderAsker, StandIn]]:
    """The module mounted a second time, with a stand-in where it takes the server to be.

    It speaks Chat Completions there where it is to find out by itself what the server speaks:
    finding that out, at an address that it never met, is what checks of fallback configure.
    """
    async with (
        stand_in(ask.base_url, answers) as stand,
        ask.configured(**{"base_url": stand.url, **_known(ask), **config}) as other,
    ):
        try:
            yield other, stand
        finally:
            ask.answered_for += stand.exchanged


def _known(ask: ProviderAsker) -> dict[str, bool]:
    setting = ask.entry["config"].get("use_responses_api")
    return {"use_responses_api": False} if Protocol.of(setting) is Protocol.AUTO else {}


@contextmanager
def nobody() -> Iterator[str]:
    """A base URL at which nobody listens, and nobody will meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


def _read_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers."""
    request, *lines = head.decode().split("\r\n")
    method, path, _ = request.split(" ")
    fields = (line.partition(": ") for line in lines if line)
    headers = {name.lower(): value for name, _, value in fields}
    return method, path, headers


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    fields = {**headers, "Connection": "close"}
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _break(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
