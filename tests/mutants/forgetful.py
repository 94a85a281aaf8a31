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
from itertools import chain
from typing import Any, TypeAlias

import httpx

Request: TypeAlias = dict[str, Any]

LATER = "later requests"
#: Characters of a message that are left when its beginning, or its end, is ignored.
END = 200
START = 100

#: An event whose text, or arguments, are a group of their own.
_PIECE = re.compile(r'(data: .*"(?:content|arguments)":")((?:[^"\\\n]|\\.)*)(".*\n\n)')


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
def forgetful(url: str, ignores: str, when: str = "") -> Iterator[str]:
    """The base URL of a server like the one at `url` that ignores one field or one role.

    `ignores` is a key of the request, `role:NAME`, `history` for all messages but the last,
    `parts` for all parts of a message but the last, `turns` for what parts of one message have in
    common, `thoughts` for those of earlier answers, `beginnings` for all of a message but its end,
    `endings` for all but its beginning, or what `LATER` says for all requests of a kept connection
    but the first. It never notices that a client hangs up.

    Here as below, only requests are meant in which `when` is found.
    """
    kept = {"once": True, "protocol_version": "HTTP/1.1"} if ignores == LATER else {}
    with _in_front(url, when=when, change=_forgetting(ignores), **kept) as base:
        yield base


@contextmanager
def insistent(url: str, adds: Request, when: str = "") -> Iterator[str]:
    """The base URL of a server like the one at `url` that acts as if each request held `adds`."""
    with _in_front(url, when=when, change=lambda body: body | adds) as base:
        yield base


@contextmanager
def swapping(url: str, swaps: str, when: str = "") -> Iterator[str]:
    """The base URL of a server like the one at `url` that mixes messages up.

    `swaps` is two roles, each of which it takes for the other, or one, of whose messages the first
    and the last change their contents.
    """
    one, *other = swaps.split()
    swap = _with_roles(one, other[0]) if other else _with_contents(one)
    change = lambda body: body | {"messages": swap(body["messages"])}  # noqa: E731
    with _in_front(url, when=when, change=change) as base:
        yield base


@contextmanager
def splitting(url: str, character: str, when: str = "") -> Iterator[str]:
    """The base URL of a server like the one at `url` that streams a character's bytes apart.

    Its first byte ends one event, and the others begin the next.
    """
    edit = lambda content: _PIECE.sub(_split_at(character), content)  # noqa: E731
    with _in_front(url, when=when, edit=edit) as base:
        yield base


@contextmanager
def editing(url: str, edits: Mapping[str, str], when: str = "") -> Iterator[str]:
    """The base URL of a server like the one at `url` whose answers are edited.

    Wherever one of the regular expressions is found, its replacement stands, to the letter.
    """

    def edit(content: str) -> str:
        for found, replacement in edits.items():
            content = re.sub(found, replacement.replace("\\", r"\\"), content)
        return content

    with _in_front(url, when=when, edit=edit) as base:
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
    if forget := _FORGOTTEN.get(ignores):
        return lambda body: body | {"messages": forget(body["messages"])}
    return lambda body: {key: value for key, value in body.items() if key != ignores}


def _changed(change: Callable[[Request], Request], body: bytes) -> bytes:
    """What is left of a request; what is none stays as it is."""
    try:
        request = json.loads(body)
    except ValueError:
        return body
    # Without spaces, as clients send it: a server behind this one may look for something in it.
    return json.dumps(change(request), separators=(",", ":")).encode()


def _end(message: Request) -> Request:
    return message | {"content": message["content"][-END:]}


def _beginning(message: Request) -> Request:
    return message | {"content": message["content"][:START]}


def _last_part(message: Request) -> Request:
    parts = message["content"]
    return message | {"content": parts[-1:] if isinstance(parts, list) else parts}


def _thoughtless(message: Request) -> Request:
    return {key: value for key, value in message.items() if not key.startswith("reasoning")}


def _apart(message: Request) -> list[Request]:
    """Each part as a message of its own."""
    parts = message["content"]
    if not isinstance(parts, list):
        return [message]
    return [message | {"content": [part]} for part in parts]


def _with_roles(one: str, other: str) -> Callable[[list[Request]], list[Request]]:
    swapped = {one: other, other: one}
    return lambda messages: [m | {"role": swapped.get(m["role"], m["role"])} for m in messages]


def _with_contents(role: str) -> Callable[[list[Request]], list[Request]]:
    def swap(messages: list[Request]) -> list[Request]:
        places = [n for n, message in enumerate(messages) if message["role"] == role]
        swapped = list(messages)
        for place, other in zip(places, reversed(places), strict=True):
            swapped[place] = messages[place] | {"content": messages[other]["content"]}
        return swapped

    return swap


def _split_at(character: str) -> Callable[[re.Match[str]], str]:
    data = character.encode()
    first, rest = (part.decode(errors="surrogateescape") for part in (data[:1], data[1:]))

    def split(event: re.Match[str]) -> str:
        head, text, tail = event.groups()
        before, found, after = text.partition(character)
        if not found:
            return event[0]
        return f"{head}{before}{first}{tail}{head}{rest}{after}{tail}"

    return split


#: What is left of the messages, by what is ignored of them.
_FORGOTTEN: Mapping[str, Callable[[list[Request]], list[Request]]] = {
    "history": lambda messages: messages[-1:],
    "beginnings": lambda messages: [_end(message) for message in messages],
    "endings": lambda messages: [_beginning(message) for message in messages],
    "parts": lambda messages: [_last_part(message) for message in messages],
    "turns": lambda messages: [*chain(*map(_apart, messages))],
    "thoughts": lambda messages: [_thoughtless(message) for message in messages],
}


class _Server(ThreadingHTTPServer):
    #: What is still being answered when a test is over would disturb the next one.
    daemon_threads = False


class _Handler(BaseHTTPRequestHandler):
    url: str
    #: Which requests are changed, or their answers edited.
    when: str = ""
    change: Callable[[Request], Request] | None = None
    edit: Callable[[str], str] | None = None
    answer: CannedAnswer | None = None
    #: Whether each connection is kept, and then closed when a second request comes.
    once = False
    asked = False

    def do_GET(self) -> None:
        """Answer, or pass on."""
        self._do(b"")

    def do_POST(self) -> None:
        """Answer, or pass on what is left of the request."""
        self._do(self.rfile.read(int(self.headers["Content-Length"])))

    def parse_request(self) -> bool:
        """Read the head, of the first request alone where later ones are ignored."""
        self.close_connection = self.once and self.asked
        if self.close_connection:
            return False
        self.asked = True
        return super().parse_request()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _do(self, body: bytes) -> None:
        asked = f"{self.command} {self.path}\n{self.headers}\n{body.decode()}"
        canned = self.answer
        if canned and re.search(canned.when, asked):
            self._send(canned.status, canned.kind, canned.content)
            return
        meant = re.search(self.when, asked)
        if self.change and meant:
            body = _changed(self.change, body)
        got = self._passed_on(body)
        content = got.content
        if self.edit and meant:
            content = self.edit(got.text).encode(errors="surrogateescape")
        self._send(got.status_code, got.headers["Content-Type"], content)

    def _passed_on(self, body: bytes) -> httpx.Response:
        url = self.url.removesuffix("/v1") + self.path
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        if key := self.headers.get("Authorization"):
            headers["Authorization"] = key
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.request(self.command, url, content=body, headers=headers)

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.once and kind.startswith("text/event-stream"):
            # As servers send streams on connections that they keep.
            self.send_header("Transfer-Encoding", "chunked")
            content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
        else:
            self.send_header("Content-Length", str(len(content)))
        with suppress(OSError):  # the client may have left
            self.end_headers()
            self.wfile.write(content)
