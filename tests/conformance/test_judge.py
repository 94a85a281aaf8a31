"""What a result holds as evidence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conformance import test_text
from conformance.bench import Bench
from conformance.cell import Cell
from conformance.conversation import DEFAULT_MAX_TOKENS
from conformance.judge import Trial
from conformance.module import Module
from conformance.outcome import NotAnswered
from reports import Layer, Mode, Outcome
from servers import ServerSpec, Target
from servers.tap import Tap
from servers.target import ServerLog
from tests.conformance.wire_answers import ERROR


class Refusing(BaseHTTPRequestHandler):
    """Refuses whatever it is asked."""

    def do_POST(self) -> None:
        """Read the request and refuse it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("Content-Length", str(len(ERROR)))
        self.end_headers()
        self.wfile.write(ERROR)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def refusing(spec: ServerSpec, log: Path) -> Iterator[Bench]:
    """The bench of a server that refuses everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        target = Target(server="x", title="X", how="attach", log=ServerLog(log), url=url, model="m")
        with Tap("127.0.0.1", int(urlsplit(url).port or 0)) as tap:
            yield Bench("x", spec, target, tap, Module("provider-openai"))
        server.shutdown()


async def test_question_that_shows_that_a_server_does_not_go_on_is_in_the_evidence(
    spec: ServerSpec, tmp_path: Path
) -> None:
    cell = Cell("text.plain", Layer.WIRE, Mode.WHOLE)
    with refusing(spec, tmp_path / "log") as bench:
        async with bench.asker(cell.layer, cell.mode) as asker:
            trial = Trial(cell, bench, bench.moment(), asker)
            with pytest.raises(NotAnswered) as raised:
                await test_text.test_plain(asker)
            own, *watched = trial.results(raised.value, 0.0)

    (found,) = [one for one in watched if one.check == "invariants.still-serves"]
    assert found.outcome is Outcome.FAIL
    assert len(own.exchanges) == 1
    limits = [json.loads(one.request_body.raw)["max_tokens"] for one in found.exchanges]
    assert limits == [DEFAULT_MAX_TOKENS, 1]
