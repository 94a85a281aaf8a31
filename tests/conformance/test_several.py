"""Several servers in one run, several processes for one run, several runs on one machine."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from reports import Outcome, Report, load
from servers import Target
from tests.conformance.start import run, start
from tests.conformance.test_runs import SLOWLY, descendants, wait_for_results
from tests.process import gone

CHOSEN = "--checks=text.plain or text.stop or errors.unknown-route"
#: Where no container engine answers.
NOWHERE = "tcp://127.0.0.1:1"


def outcomes(report: Report) -> Counter[Outcome]:
    """How often each came about, without invariants."""
    return Counter(result.outcome for result in report.results if result.case is None)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "shared"])
def test_two_servers_in_one_run(target: Target, tmp_path: Path, workers: list[str]) -> None:
    servers = ["--server=llamacpp", f"--server={target.url},kind=llamacpp"]

    status, _ = run(*servers, CHOSEN, f"--report-dir={tmp_path}", *workers)
    report = load(tmp_path / "report.json")

    assert status == 0
    assert sorted(one.how for one in report.targets) == ["attach", "native"]
    assert {one.id for one in report.targets} == set(report.asked)
    by_target = [[r for r in report.results if r.target == one.id] for one in report.targets]
    assert [len(results) for results in by_target] == [len(by_target[0])] * 2
    assert set(outcomes(report)) == {Outcome.PASS}
    assert not report.incomplete


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "shared"])
def test_server_that_can_not_be_had_reddens_the_gate_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    servers = ["--server=ollama", "--server=llamacpp"]

    status, output = run(*servers, CHOSEN, f"--report-dir={tmp_path}", *workers)
    report = load(tmp_path / "report.json")

    assert status == 1
    assert "ollama was asked for and did not run: no container engine answers" in output
    assert [one.server for one in report.absent] == ["ollama"]
    assert {result.target for result in report.results} == {"llamacpp"}
    assert set(outcomes(report)) == {Outcome.PASS}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "shared"])
def test_run_whose_only_server_can_not_be_had_did_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)

    status, output = run("--server=ollama", CHOSEN, f"--report-dir={tmp_path}", *workers)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert "hint: install one and start it" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "shared"])
def test_start_that_nobody_foresaw_to_fail_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")

    status, output = run("--server=llamacpp@1.0", CHOSEN, f"--report-dir={tmp_path}", *workers)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert "llama.cpp could not be started: NotADirectoryError" in output
    assert "Traceback" in (tmp_path / "logs/llamacpp-1.0.log").read_text()


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "shared"])
def test_nothing_is_left_ten_seconds_after_kill_9(tmp_path: Path, workers: list[str]) -> None:
    process = start("--server=llamacpp", f"--report-dir={tmp_path}", SLOWLY, *workers)
    wait_for_results(tmp_path, 10)
    started = list(descendants(process.pid))
    assert started

    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert gone(*started)


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    both = [start("--server=llamacpp", CHOSEN, f"--report-dir={folder}") for folder in folders]

    for process in both:
        process.communicate(timeout=300)

    first, second = (load(folder / "report.json") for folder in folders)
    assert [process.returncode for process in both] == [0, 0]
    assert {r.key: r.outcome for r in first.results} == {r.key: r.outcome for r in second.results}


def test_order_that_would_need_all_servers_at_once_is_refused() -> None:
    status, output = run("--server=llamacpp", "-n", "2", "--dist=loadfile")

    assert status == pytest.ExitCode.USAGE_ERROR
    assert "--dist loadfile would ask the servers out of order" in output
