"""A server that accepts a field, ignores it and answers 200: the commonest divergence there is.

It stands in front of a real server, and takes out of each request what it is to ignore.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import httpx

Request: TypeAlias = dict[str, Any]


@contextmanager
def forgetful(url: str, ignores: str) -> Iterator[str]:
    """The base URL of a server like the one at `url` that ignores one field or one role.

    `ignores` is a key of the request, `role:NAME`, or `history` for all messages but the last.
    """
    handler = type(
        "Handler", (_Handler,), {"url": url, "forget": staticmethod(_forgetting(ignores))}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def _forgetting(ignores: str) -> Callable[[Request], Request]:
    role = ignores.removeprefix("role:")
    if role != ignores:
        return lambda body: body | {"messages": [m for m in body["messages"] if m["role"] != role]}
    if ignores == "history":
        return lambda body: body | {"messages": body["messages"][-1:]}
    return lambda body: {key: value for key, value in body.items() if key != ignores}


class _Handler(BaseHTTPRequestHandler):
    url: str
    forget: Callable[[Request], Request]

    def do_POST(self) -> None:
        """Forward what is left of the request, and the whole answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        url = self.url.removesuffix("/v1") + self.path
        answer = httpx.post(url, json=self.forget(body), trust_env=False, timeout=60)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
