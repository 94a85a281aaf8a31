"""HTTP/1.1 on a loopback socket, with every discourtesy that real servers show."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

Ending = Literal["keep", "close", "reset", "hang"]
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Answer:
    """One answer; `pieces` are sent apart, chunked. With `read_body` off it comes too early.

    `pause` is in seconds, after each piece.

    Nothing is sent before `wait` is set. Of `torn` only half is sent, as half of an HTTP chunk.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] | None = None
    pause: float = 0.0
    ending: Ending = "keep"
    read_body: bool = True
    wait: asyncio.Event | None = None
    torn: bytes = b""

    @classmethod
    def json(cls, value: Any, status: int = 200, **more: Any) -> Answer:
        """An answer with a JSON body."""
        return cls(json.dumps(value).encode(), status, **more)

    @classmethod
    def nothing(cls, ending: Ending) -> Answer:
        """No answer at all, not even a head."""
        return cls(status=0, read_body=False, ending=ending)

    @classmethod
    def unread_404(cls) -> Answer:
        """A 404 sent before the request's body is read, and a reset: mlx_lm.server's way."""
        return cls(b"Not Found", 404, "text/plain", read_body=False, ending="reset")


@dataclass
class Request:
    """One request as it came in; `at` is in seconds, to tell how far requests are apart."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Script = Answer | Callable[[Request], Answer]


class ScriptedServer:
    """Answers by path, the last answer of a script again and again; 404 where there is none."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.open_connections = 0
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._scripts: defaultdict[str, deque[Script]] = defaultdict(deque)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, path: str, *answers: Script) -> Self:
        """Script the answers of a path below /v1."""
        self._scripts[f"/v1{path}"] = deque(answers)
        return self

    @property
    def base_url(self) -> str:
        """What goes into a provider's config."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def paths(self) -> list[str]:
        """Paths asked so far, without /v1."""
        return [request.path.removeprefix("/v1") for request in self.requests]

    def bodies(self, path: str) -> list[Any]:
        """JSON bodies sent to a path."""
        return [request.json for request in self.requests if request.path == f"/v1{path}"]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.open_connections += 1
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return False
        request = _read_head(head)
        answer = self._next(request)
        if callable(answer) or answer.read_body:
            request.body = await reader.readexactly(int(request.headers.get("content-length", 0)))
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await _send(answer(request) if callable(answer) else answer, reader, writer)
        finally:
            self.in_flight -= 1

    def _next(self, request: Request) -> Script:
        script = self._scripts.get(request.path.partition("?")[0])
        if not script:
            return Answer(b'{"error":{"message":"File Not Found","code":404}}', 404)
        return script.popleft() if len(script) > 1 else script[0]


def _read_head(head: str) -> Request:
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    return Request(method, path, {k.lower(): v.strip() for k, _, v in pairs}, b"")


async def _send(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    if answer.wait is not None:
        await answer.wait.wait()
    chunked = answer.pieces is not None
    if answer.status:
        writer.write(_head_of(answer))
    if answer.read_body:
        writer.write(answer.body)
        await _send_pieces(answer.pieces or [], answer.pause, writer)
        if answer.torn:
            half = answer.torn[: len(answer.torn) // 2]
            writer.write(f"{len(answer.torn):x}\r\n".encode() + half)
    return await _end(answer, reader, writer, chunked=chunked)


def _head_of(answer: Answer) -> bytes:
    """Status line and headers; a `content-length` among them takes the place of the true one."""
    chunked = answer.pieces is not None
    length = {"content-length": str(len(answer.body))}
    headers = {
        "content-type": answer.content_type,
        **({"transfer-encoding": "chunked"} if chunked else length),
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _send_pieces(pieces: Iterable[bytes], pause: float, writer: asyncio.StreamWriter) -> None:
    for piece in pieces:
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
        await asyncio.sleep(pause)


async def _end(
    answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, chunked: bool
) -> bool:
    await writer.drain()
    if answer.ending == "keep":
        writer.write(b"0\r\n\r\n" if chunked else b"")
        await writer.drain()
        return True
    if answer.ending == "hang":
        await reader.read()
        raise ConnectionResetError
    if answer.ending == "reset":
        await asyncio.sleep(0.02)  # let the client see what was sent before the reset
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False
