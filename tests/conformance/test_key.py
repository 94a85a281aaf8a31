"""The gate on a server that wants a key: none of those that it starts itself does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.model.files import tiny_model
from reports import Verdict, cells, load
from servers import ServerLog, Target
from servers.port import free_port
from servers.ready import wait_until_ready
from tests.conformance.start import ROOT, run

KEY = "sk-wanted-by-this-server"
#: Seconds until a model of a megabyte has been read.
PATIENCE = 60.0


def test_wrong_key_is_refused_and_the_right_one_serves_both_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_KEY", KEY)
    with keyed_server(tmp_path / "server.log") as url:
        status, output = run(
            f"--server={url},kind=llamacpp,model=tiny,key=LOCAL_KEY",
            "--checks=discovery.wrong-key or text.plain or tools.single-call",
            f"--report-dir={tmp_path / 'report'}",
        )

    verdicts = {
        cell.check.id: cell.verdict for cell in cells(load(tmp_path / "report/report.json"))
    }
    assert status == 0, output
    assert verdicts["discovery.wrong-key"] is Verdict.WORKS
    assert verdicts["text.plain"] is Verdict.WORKS
    assert verdicts["tools.single-call"] is Verdict.WORKS
    written = [path.read_text(errors="replace") for path in written_in(tmp_path / "report")]
    assert not [text for text in [output, *written] if KEY in text]


@contextmanager
def keyed_server(log: Path) -> Iterator[str]:
    """llama.cpp that answers only who sends `KEY`; its base URL."""
    port = free_port()
    program = [sys.executable, str(ROOT / "servers/xllamacpp_server.py")]
    settings = [f"model.path={tiny_model().gguf}", "model_alias=tiny", f"port={port}", "n_ctx=8192"]
    settings += ["sampling.temp=0", "cpuparams.n_threads=1", f"api_keys={KEY}"]
    with log.open("wb") as told:
        process = subprocess.Popen([*program, *settings], stdout=told, stderr=told)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        up = Target(
            server="llamacpp",
            title="llama.cpp",
            how="attach",
            log=ServerLog(log),
            url=url,
            model="tiny",
            api_key=KEY,
        )
        wait_until_ready(up, PATIENCE)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def written_in(folder: Path) -> list[Path]:
    """Every file of a report."""
    return [path for path in folder.rglob("*") if path.is_file()]
