"""A server that gives some answers of its own, and leaves the rest to the target behind it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from conformance.provider import ProviderAsker
from conformance.wire import certificates

#: Closing a socket that lingers for no time resets the connection.
_NO_LINGER = struct.pack("ii", 1, 0)
_HOP = {"host", "connection", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Canned:
    """An answer that the target never gave.

    With `reset` the request's body is left unread and the connection breaks after the answer,
    as mlx_lm.server does it with a path that it does not serve.
    """

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False

    def __bytes__(self) -> bytes:
        """The response as it goes over the wire."""
        fields = {"Content-Type": "application/json", **self.headers}
        return _head(self.status, fields) + self.body.encode()


#: Answers a path, or leaves it to the target with None.
Answers: TypeAlias = Callable[[str], Canned | None]


def in_turn(*answers: Canned | None) -> Answers:
    """Give one answer after another, and then leave all requests to the target."""
    left = iter(answers)
    return lambda _: next(left, None)


def always(answer: Canned) -> Answers:
    """Answer every request like this."""
    return lambda _: answer


def refusing(path: str, answer: Canned) -> Answers:
    """Answer every request to a path that ends like this, and leave the others to the target."""
    return lambda asked: answer if asked.endswith(path) else None


class StandIn:
    """One that is listening at the base URL `url`.

    `asked` holds the paths of the requests so far, `received` their bodies as far as it read them.
    """

    def __init__(self, target: str, answers: Answers, client: httpx.AsyncClient) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.received: list[bytes] = []
        self._target = target.removesuffix("/v1")
        self._answers = answers
        self._client = client

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        with suppress(OSError, asyncio.IncompleteReadError, httpx.HTTPError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = request.split(" ")
        fields = (line.partition(": ") for line in lines if line)
        headers = {name.lower(): value for name, _, value in fields}
        self.asked.append(path)
        answer = self._answers(path)
        if answer and answer.reset:
            _break(writer, bytes(answer))
            return
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received.append(body)
        if answer:
            writer.write(bytes(answer))
            return
        kept = {name: value for name, value in headers.items() if name not in _HOP}
        url = self._target + path
        async with self._client.stream(method, url, content=body, headers=kept) as response:
            await _pass_on(response, writer)


@asynccontextmanager
async def stand_in(url: str, answers: Answers) -> AsyncIterator[StandIn]:
    """A stand-in for the server at the base URL `url`, on a port of its own."""
    async with httpx.AsyncClient(trust_env=False, verify=certificates(), timeout=60) as client:
        stand = StandIn(url, answers, client)
        server = await asyncio.start_server(stand.serve, "127.0.0.1", 0)
        stand.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield stand
        finally:
            server.close()


@asynccontextmanager
async def facing(
    ask: ProviderAsker, answers: Answers, **config: Any
) -> AsyncIterator[tuple[ProviderAsker, StandIn]]:
    """The module mounted a second time, with a stand-in where it takes the server to be."""
    async with (
        stand_in(ask.base_url, answers) as stand,
        ask.configured(base_url=stand.url, **config) as other,
    ):
        yield other, stand


async def _pass_on(response: httpx.Response, writer: asyncio.StreamWriter) -> None:
    kind = response.headers.get("content-type", "")
    writer.write(_head(response.status_code, {"Content-Type": kind}))
    async for data in response.aiter_bytes():
        writer.write(data)
        await writer.drain()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    fields = {**headers, "Connection": "close"}
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _break(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
