"""pytest in a process of its own, started as people start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(*arguments: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
    """pytest, on its way."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def run(*arguments: str, cwd: Path = ROOT) -> tuple[int, str]:
    """Exit status and output of a whole run."""
    process = start(*arguments, cwd=cwd)
    output, _ = process.communicate(timeout=300)
    return process.returncode, output
