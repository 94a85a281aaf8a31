"""Several processes for one run: none waits for what will not come."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance.parallel import Conductor, Worker
from conformance.run import Run
from servers import ServersError

TESTS = [
    f"conformance/test_text.py::test_plain[llamacpp-wire-{mode}]" for mode in ("whole", "stream")
]
#: Seconds in which what does not wait has long ended.
LONG = 20.0


class Servers:
    """In the place of a run: notes which servers were let go."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.leave = self.left.append
        self.announce: Callable[[str, ServersError], None] = lambda *_: None


def ended(test: str) -> pytest.TestReport:
    """The last report of a test."""
    return pytest.TestReport(test, ("", None, ""), {}, "passed", None, "teardown")


def crashed(test: str) -> pytest.TestReport:
    """What xdist reports of a test whose worker died; another one is going to run it."""
    return pytest.TestReport(test, ("", None, ""), {}, "failed", None, cast("Any", "???"))


def worker(folder: Path) -> Worker:
    """A worker that looks for announcements in a folder."""
    config = SimpleNamespace(workerinput={"conformance-targets": str(folder)})
    return Worker(config, cast("Any", SimpleNamespace(specs={})))


def outcome(call: Callable[[], object]) -> object:
    """What a call returns or raises; in a thread, lest the test waits for ever."""
    future: Future[object] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except ServersError as error:
            future.set_result(error.message)

    threading.Thread(target=run, daemon=True).start()
    return future.result(LONG)


def test_server_is_let_go_though_a_worker_was_replaced() -> None:
    servers = Servers()
    conductor = Conductor(cast("Run", servers))

    conductor.pytest_xdist_node_collection_finished(TESTS)
    conductor.pytest_runtest_logreport(ended(TESTS[0]))
    conductor.pytest_xdist_node_collection_finished(TESTS)
    conductor.pytest_runtest_logreport(ended(TESTS[1]))
    conductor.pytest_unconfigure()

    assert servers.left == ["llamacpp"]


def test_server_stays_up_for_the_test_that_a_dead_worker_left() -> None:
    servers = Servers()
    conductor = Conductor(cast("Run", servers))
    conductor.pytest_xdist_node_collection_finished(TESTS)

    conductor.pytest_runtest_logreport(crashed(TESTS[0]))
    conductor.pytest_runtest_logreport(ended(TESTS[0]))
    assert servers.left == []
    conductor.pytest_runtest_logreport(ended(TESTS[1]))
    conductor.pytest_unconfigure()

    assert servers.left == ["llamacpp"]


def test_worker_does_not_wait_for_a_run_that_is_over(tmp_path: Path) -> None:
    assert outcome(lambda: worker(tmp_path / "gone").target("llamacpp", print)) == (
        "nobody is left to start llamacpp"
    )


def test_worker_does_not_wait_for_a_process_that_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = worker(tmp_path)
    monkeypatch.setattr(os, "getppid", lambda: -1)

    assert outcome(lambda: orphan.target("llamacpp", print)) == "nobody is left to start llamacpp"


def test_worker_does_not_wait_for_what_can_not_be_announced() -> None:
    servers = Servers()
    conductor = Conductor(cast("Run", servers))
    waiting = worker(Path(conductor._folder.name))

    with pytest.raises(FileNotFoundError):
        servers.announce("no/such/folder", ServersError("it is broken", ""))

    assert outcome(lambda: waiting.target("llamacpp", print)) == "nobody is left to start llamacpp"
