"""Servers that differ from a real one in a single thing.

They stand in front of it and change one request, or answer one kind of request themselves. The
commonest divergence there is, a field that is accepted, ignored and answered with 200, is made by
taking it out.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import httpx

Request: TypeAlias = dict[str, Any]

#: Characters of a message that are left when its beginning is ignored.
END = 200


@dataclass(frozen=True)
class CannedAnswer:
    """What requests get in which `when` is found: a regular expression over all of a request.

    A `body` that is no string is sent as JSON.
    """

    when: str
    status: int = 200
    body: Any = ""
    kind: str = "application/json"

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@contextmanager
def forgetful(url: str, ignores: str) -> Iterator[str]:
    """The base URL of a server like the one at `url` that ignores one field or one role.

    `ignores` is a key of the request, `role:NAME`, `history` for all messages but the last,
    `parts` for all parts of a message but the last, or `beginnings` for all but its end. It never
    notices that a client hangs up.
    """
    with _in_front(url, change=_forgetting(ignores)) as base:
        yield base


@contextmanager
def insistent(url: str, adds: Request) -> Iterator[str]:
    """The base URL of a server like the one at `url` that acts as if each request held `adds`."""
    with _in_front(url, change=lambda body: body | adds) as base:
        yield base


@contextmanager
def editing(url: str, edits: Mapping[str, str]) -> Iterator[str]:
    """The base URL of a server like the one at `url` whose answers are edited.

    Wherever one of the regular expressions is found, its replacement stands, to the letter.
    """

    def edit(content: str) -> str:
        for found, replacement in edits.items():
            content = re.sub(found, replacement.replace("\\", r"\\"), content)
        return content

    with _in_front(url, edit=edit) as base:
        yield base


@contextmanager
def answering(url: str, answer: CannedAnswer) -> Iterator[str]:
    """The base URL of a server like the one at `url` that answers some requests otherwise."""
    with _in_front(url, answer=answer) as base:
        yield base


@contextmanager
def _in_front(url: str, **behaviour: Any) -> Iterator[str]:
    bound = {name: _bound(value) for name, value in behaviour.items()}
    handler = type("Handler", (_Handler,), {"url": url, **bound})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def _bound(value: Any) -> Any:
    return staticmethod(value) if callable(value) else value


def _forgetting(ignores: str) -> Callable[[Request], Request]:
    role = ignores.removeprefix("role:")
    if role != ignores:
        return lambda body: body | {"messages": [m for m in body["messages"] if m["role"] != role]}
    if ignores == "history":
        return lambda body: body | {"messages": body["messages"][-1:]}
    if ignores == "beginnings":
        return lambda body: body | {"messages": [_end(m) for m in body["messages"]]}
    if ignores == "parts":
        return lambda body: body | {"messages": [_last_part(m) for m in body["messages"]]}
    return lambda body: {key: value for key, value in body.items() if key != ignores}


def _end(message: Request) -> Request:
    return message | {"content": message["content"][-END:]}


def _last_part(message: Request) -> Request:
    parts = message["content"]
    return message | {"content": parts[-1:] if isinstance(parts, list) else parts}


class _Server(ThreadingHTTPServer):
    #: What is still being answered when a test is over would disturb the next one.
    daemon_threads = False


class _Handler(BaseHTTPRequestHandler):
    url: str
    change: Callable[[Request], Request] | None = None
    edit: Callable[[str], str] | None = None
    answer: CannedAnswer | None = None

    def do_GET(self) -> None:
        """Answer, or pass on."""
        self._do(b"")

    def do_POST(self) -> None:
        """Answer, or pass on what is left of the request."""
        self._do(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _do(self, body: bytes) -> None:
        asked = f"{self.command} {self.path}\n{self.headers}\n{body.decode()}"
        canned = self.answer
        if canned and re.search(canned.when, asked):
            self._send(canned.status, canned.kind, canned.content)
            return
        if self.change:
            body = json.dumps(self.change(json.loads(body))).encode()
        url = self.url.removesuffix("/v1") + self.path
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        with httpx.Client(trust_env=False, timeout=60) as client:
            got = client.request(self.command, url, content=body, headers=headers)
        content = self.edit(got.text).encode() if self.edit else got.content
        self._send(got.status_code, got.headers["Content-Type"], content)

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        with suppress(OSError):  # the client may have left
            self.end_headers()
            self.wfile.write(content)
