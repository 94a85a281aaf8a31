"""Whole runs of the gate, as people start them, on the real server."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from conformance.selection import selection
from reports import Outcome, Owner, Report, Verdict, cells, load
from tests.conformance.start import run, start

#: What the first version of the gate held; on llama.cpp all of it works.
FIRST = [
    "text.plain",
    "text.stream-same",
    "text.max-tokens",
    "text.stop",
    "messages.system",
    "messages.developer",
    "messages.memory",
    "usage.adds-up",
    "tools.single-call",
    "tools.right-tool",
    "tools.choice-none",
    "tools.result-used",
    "tools.streamed-call",
    "structure.json-schema",
    "discovery.model-list",
    "errors.unknown-route",
]
#: Enough to be killed in the middle of it.
SOME = "--checks=text.* or messages.*"
SLOWLY = "--fault=delay:0.2"


def body_runs(expression: str) -> int:
    """How often the bodies of these checks run; invariants have none."""
    chosen = filter(selection(expression), catalogue().values())
    return sum(len(r.layers) * len(r.modes) for r in chosen if r.chapter != "Invariants")


def gate(folder: Path, *arguments: str) -> tuple[int, str, Report]:
    """Exit status, output and report of a run on llama.cpp."""
    status, output = run("--server=llamacpp", f"--report-dir={folder}", *arguments)
    return status, output, load(folder / "report.json")


def verdicts(report: Report) -> dict[str, Verdict]:
    """The verdict of each check."""
    return {cell.check.id: cell.verdict for cell in cells(report)}


@pytest.fixture(scope="module")
def green(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, Report]:
    """A run that nothing disturbs."""
    return gate(tmp_path_factory.mktemp("green"))


def test_undisturbed_run_is_green_and_says_how_many_ran(green: tuple[int, str, Report]) -> None:
    status, output, report = green

    assert status == 0
    assert {verdicts(report)[check] for check in FIRST} == {Verdict.WORKS}
    assert not {Verdict.PROVIDER, Verdict.ERROR} & set(verdicts(report).values())
    assert sum(result.case is None for result in report.results) == body_runs("*")
    assert "provider stream ran" in output


def test_second_run_gives_the_same_verdicts(green: tuple[int, str, Report], tmp_path: Path) -> None:
    _, _, again = gate(tmp_path)

    assert {result.key: result.outcome for result in again.results} == {
        result.key: result.outcome for result in green[2].results
    }


def test_run_shared_by_two_processes_gives_the_same_verdicts(
    green: tuple[int, str, Report], tmp_path: Path
) -> None:
    status, _, shared = gate(tmp_path, "-n", "2")

    assert status == 0
    assert shared.checks == green[2].checks
    assert {result.key: result.outcome for result in shared.results} == {
        result.key: result.outcome for result in green[2].results
    }


def test_altered_finish_reason_is_the_servers_fault(tmp_path: Path) -> None:
    fault = 'replace:"finish_reason":"length"=>"finish_reason":"stop"'

    status, output, report = gate(tmp_path, f"--fault={fault}", "--checks=text.*")

    assert status == 1
    assert verdicts(report)["text.max-tokens"] is Verdict.SERVER
    page = tmp_path / "evidence/llamacpp/text.max-tokens.md"
    assert f"llamacpp/text.max-tokens: server (owner: server)  {page}" in output
    assert '"finish_reason":"stop"' in page.read_text()


def test_dropped_arguments_are_the_modules_fault(tmp_path: Path) -> None:
    dropping = ["-p", "tests.conformance.argument_dropper"]

    status, output, report = gate(tmp_path, *dropping, "--checks=text.plain or tools.single-call")

    assert status == 1
    assert verdicts(report)["tools.single-call"] is Verdict.PROVIDER
    assert verdicts(report)["text.plain"] is Verdict.WORKS
    assert "llamacpp/tools.single-call: provider (owner: provider)" in output


def test_known_fault_of_the_server_is_its_own_though_only_the_module_is_asked(
    tmp_path: Path,
) -> None:
    known = "--checks=media.image-refused or tools.parallel-off or errors.unknown-model"

    status, output, report = gate(tmp_path, "--layer=provider", known)

    owners = {cell.check.id: cell.owner for cell in cells(report) if cell.expectations}
    assert status == 0
    assert owners == dict.fromkeys(known.removeprefix("--checks=").split(" or "), Owner.SERVER)
    assert "owner: provider" not in output


def test_killed_server_makes_errors_of_what_follows(tmp_path: Path) -> None:
    process = start("--server=llamacpp", f"--report-dir={tmp_path}", SOME, SLOWLY)
    judged_before = wait_for_results(tmp_path, 10)

    os.kill(server_of(process.pid), signal.SIGKILL)
    output, _ = process.communicate(timeout=120)

    report = load(tmp_path / "report.json")
    outcomes = Counter(result.outcome for result in report.results if result.case is None)
    assert process.returncode == 1
    assert set(outcomes) == {Outcome.PASS, Outcome.ERROR}
    assert outcomes.total() == body_runs("text.* or messages.*")
    assert len(report.results) > judged_before
    assert "ended with signal SIGKILL" in output


def test_interrupted_run_keeps_what_was_judged(tmp_path: Path) -> None:
    process = start("--server=llamacpp", f"--report-dir={tmp_path}", SOME, SLOWLY)
    judged_before = wait_for_results(tmp_path, 10)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)

    report = load(tmp_path / "report.json")
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    judged = [result for result in report.results if result.case is None]
    assert judged_before <= len(report.results)
    assert len(judged) < body_runs("text.* or messages.*")
    assert report.incomplete


def test_run_that_stops_at_its_first_failure_is_not_whole(tmp_path: Path) -> None:
    fault = '--fault=replace:"finish_reason":"length"=>"finish_reason":"stop"'

    status, output, report = gate(tmp_path, fault, "--layer=wire", "--checks=text.*", "-x")

    assert status == 1
    assert report.incomplete == ("pytest ended early, with exit status 1.",)
    assert "Gate: red" in output


def test_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        status, output = run("--server=llamacpp", f"--port={port}", f"--report-dir={tmp_path}")

    assert_refused(status, output, f"{port}", "hint:")


def test_model_with_one_byte_changed(checkout: Path) -> None:
    weights = checkout / "fixtures/model/weights/tiny.gguf"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)

    status, output = run("--server=llamacpp", cwd=checkout)

    assert_refused(status, output, "tiny.gguf", "hint:")


def test_server_file_with_a_misspelt_key(checkout: Path) -> None:
    file = checkout / "servers/llamacpp.yaml"
    file.write_text(file.read_text().replace("homepage:", "homepaeg:"))

    status, output = run("--server=llamacpp", cwd=checkout)

    assert_refused(status, output, "llamacpp.yaml:", "did you mean 'homepage'?")


def test_own_tests_end_with_how_to_run_the_gate() -> None:
    status, output = run("tests/conformance/test_completion.py")

    assert status == 0
    assert "pytest --server=llamacpp" in output


def assert_refused(status: int, output: str, *said: str) -> None:
    """The run did not start, and said why in a sentence, without a traceback."""
    assert status == pytest.ExitCode.USAGE_ERROR
    for part in said:
        assert part in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output


def wait_for_results(folder: Path, wanted: int) -> int:
    """How many results the journal holds, once it holds as many as wanted."""
    journal = folder / "journal.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        seen = journal.read_text().count('{"record":"result"') if journal.exists() else 0
        if seen >= wanted:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"no {wanted} results in {journal}")


def server_of(pid: int) -> int:
    """The process id of the model server that the pytest process `pid` started."""
    for child in descendants(pid):
        command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if command[1].endswith("xllamacpp_server.py"):
            return child
    raise AssertionError(f"{pid} runs no server")


def descendants(pid: int) -> Iterator[int]:
    """Every process below `pid`."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from descendants(int(child))
