"""What is seen of a run while it goes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.start import ROOT, run

#: One check that passes and one that llama.cpp is expected to fail.
CHECKS = "--checks=text.plain or tools.parallel-off"


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """All that pytest writes to a terminal, control characters and all."""
    here, there = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    quiet = {name: value for name, value in os.environ.items() if name != "CI"}
    settings = quiet | {"TERM": "xterm", "COLUMNS": "120"} | environment
    with subprocess.Popen(command, cwd=ROOT, env=settings, stdin=there, stdout=there, stderr=there):
        os.close(there)
        return b"".join(iter(lambda: _read(here), b"")).decode()


def _read(terminal: int) -> bytes:
    """What comes next; nothing once the other side has closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def without_colours(shown: str) -> str:
    """What is read."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A short run, watched."""
    folder = tmp_path_factory.mktemp("live")
    return on_a_terminal("--server=llamacpp", CHECKS, f"--report-dir={folder}")


def test_start_of_the_server_is_told(shown: str) -> None:
    assert "starting llama.cpp" in shown


def test_line_says_what_is_asked_and_how_far_it_is(shown: str) -> None:
    assert "llamacpp: text.plain wire whole" in shown
    assert "✔ 4 expected 4" in without_colours(shown)
    assert "8/8" in without_colours(shown)


def test_line_is_gone_at_the_end(shown: str) -> None:
    last = shown[shown.rindex("conformance ===") :]

    assert "llamacpp: text.plain wire whole" not in last
    assert "Gate: green" in last


def test_ci_gets_letters(tmp_path: Path) -> None:
    shown = on_a_terminal("--server=llamacpp", CHECKS, f"--report-dir={tmp_path}", CI="true")

    assert "llamacpp: text.plain wire whole" not in shown
    assert "xxxx" in without_colours(shown)


def test_pipe_gets_letters(tmp_path: Path) -> None:
    _, shown = run("--server=llamacpp", CHECKS, f"--report-dir={tmp_path}")

    assert "llamacpp: text.plain wire whole" not in shown
    assert "xxxx" in shown
    assert "\x1b" not in shown


def test_colours_of_the_terminal_stay_out_of_the_report(tmp_path: Path) -> None:
    on_a_terminal("--server=llamacpp", CHECKS, f"--report-dir={tmp_path}")

    assert "\\u001b" not in (tmp_path / "report.json").read_text()
