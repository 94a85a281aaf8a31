"""What a result holds as evidence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
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
from conformance.protocol import Protocol
from reports import Layer, Mode, Outcome
from reports.cells import is_refuted
from servers import Expectation, ServerSpec, Target
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
def refusing(spec: ServerSpec, log: Path, protocol: Protocol | None = None) -> Iterator[Bench]:
    """The bench of a server that refuses everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        target = Target(server="x", title="X", how="attach", log=ServerLog(log), url=url, model="m")
        with Tap("127.0.0.1", int(urlsplit(url).port or 0)) as tap:
            yield Bench("x", spec, target, tap, Module("provider-openai"), protocol)
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


@pytest.mark.parametrize(
    ("layer", "protocol", "held"),
    [
        (Layer.PROVIDER, Protocol.CHAT, True),
        (Layer.PROVIDER, Protocol.RESPONSES, False),
        (Layer.PROVIDER, Protocol.AUTO, False),
        (Layer.WIRE, Protocol.RESPONSES, True),
    ],
)
def test_expectations_of_the_module_are_held_to_with_chat_only(
    spec: ServerSpec, tmp_path: Path, layer: Layer, protocol: Protocol, *, held: bool
) -> None:
    known = Expectation(
        check="text.plain",
        outcomes=["inconclusive"],
        reason="Seen with Chat Completions.",
        seen_on="1.0",
        recheck_by=date(2099, 1, 1),
    )
    spec = spec.model_copy(update={"expectations": [known]})
    with refusing(spec, tmp_path / "log", protocol) as bench:
        trial = Trial(Cell("text.plain", layer, Mode.WHOLE), bench, bench.moment())
        (result,) = trial.results(AssertionError("another text"), 0.0)

    assert result.outcome is Outcome.FAIL
    assert is_refuted(result) is held
