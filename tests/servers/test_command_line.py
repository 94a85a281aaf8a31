"""`python -m servers` says in words what can run here, and how to set it up."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from servers.__main__ import main


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No engine, no uv, no AVX2, and no environment made before."""
    (tmp_path / "cpuinfo").write_text("flags : fpu sse\n")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setattr("servers.ways.find_uv", lambda: None)
    monkeypatch.setattr("servers.machine.CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("servers.environment.CACHE", tmp_path)


@pytest.mark.usefixtures("bare_machine")
def test_list_says_what_a_bare_machine_lacks(capsys: pytest.CaptureFixture[str]):
    status = main(["list"])
    said = capsys.readouterr().out

    assert status == 0
    assert "llamacpp: llama.cpp 2026.10.11549 b11549\n  native     can run here" in said
    assert "mlx: MLX 0.32.2\n  native     can't: there is no uv" in said
    assert "native     can't: its build needs a processor with AVX2" in said
    assert "container  can't: no container engine answers (not yet run" in said


@pytest.mark.usefixtures("bare_machine")
def test_doctor_tells_what_is_missing(capsys: pytest.CaptureFixture[str]):
    main(["doctor"])
    said = capsys.readouterr().out

    assert "there is no uv" in said
    assert "no container engine answers" in said


def test_recipe_holds_settings_that_can_be_copied(capsys: pytest.CaptureFixture[str]):
    main(["recipe", "ollama"])

    assert "      module: provider-openai\n" in capsys.readouterr().out


def test_mistake_is_one_sentence_with_a_hint(capsys: pytest.CaptureFixture[str]):
    status = main(["recipe", "olama"])

    assert status == 2
    assert capsys.readouterr().err.startswith("there is no server 'olama'\n  hint: did you mean")


def test_server_is_started_until_it_is_interrupted():
    command = [sys.executable, "-m", "servers", "start", "llamacpp"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()

    assert lines[1] == "llama.cpp 2026.10.11549 b11549 listens; Ctrl-C stops it\n"
    assert lines[2].startswith("base URL: http://127.0.0.1:")
    assert rest.endswith("stopped\n")
    assert process.returncode == 0
