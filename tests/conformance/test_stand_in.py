"""A stand-in takes the place of any base URL, and what it leaves goes where it was to go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from conformance.stand_in import Canned, refusing, stand_in


class Echo(BaseHTTPRequestHandler):
    """Answers with the path that it was asked for."""

    def do_POST(self) -> None:
        """The path."""
        said = self.path.encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Unkept(Echo):
    """Promises to keep its connections, and answers no second request on one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """The path, of a connection's first request."""
        super().do_POST()
        self.rfile.readline()
        self.close_connection = True


@contextmanager
def echo(handler: type[Echo] = Echo) -> Iterator[str]:
    """Where such a server listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("path", ["", "/v1", "/v1/", "/v3", "/api/v1", "/openai/v1beta"])
async def test_any_path_may_end_a_base_url(path: str) -> None:
    refusal = refusing("/v1/responses", Canned(404))
    with echo() as url:
        async with stand_in(f"{url}{path}", refusal) as stand, httpx.AsyncClient() as client:
            refused = await client.post(f"{stand.url}/responses", json={})
            answered = await client.post(f"{stand.url}/chat/completions", json={})

    assert stand.url.endswith(path.rstrip("/"))
    assert stand.asked == ["/v1/responses", "/v1/chat/completions"]
    assert refused.status_code == 404
    assert answered.text == f"{path.rstrip('/')}/chat/completions"


async def test_a_connection_that_a_server_does_not_keep_loses_no_request() -> None:
    with echo(Unkept) as url:
        refusal = refusing("/responses", Canned(404))
        async with stand_in(url, refusal) as stand, httpx.AsyncClient() as client:
            answers = [await client.post(f"{stand.url}/chat", json={}) for _ in range(3)]

    assert [answer.text for answer in answers] == ["/chat"] * 3
