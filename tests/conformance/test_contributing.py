"""CONTRIBUTING works as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.start import ROOT

#: A block of code: its language and its lines.
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_A_FILE = re.compile(r"# (\S+/\S+\.\w+)\n")


def blocks(section: str) -> list[tuple[str, str]]:
    """The blocks of one section of CONTRIBUTING."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return BLOCK.findall(text.partition(f"\n## {section}\n")[2].partition("\n## ")[0])


def append(checkout: Path, code: str) -> None:
    """Put a block at the end of the file that its first line names."""
    named = IN_A_FILE.match(code)
    assert named
    with (checkout / named[1]).open("a") as file:
        file.write(code[named.end() :])


def ran(checkout: Path, command: str) -> tuple[int, str]:
    """Exit status and output of a command, in a shell whose python is this one."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=checkout,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def with_new_check(checkout: Path) -> Path:
    """A copy in which the new check of CONTRIBUTING stands."""
    for language, code in blocks("A new check"):
        if language != "sh":
            append(checkout, code)
    return checkout


def test_new_check_is_a_row_a_function_and_a_mutant(with_new_check: Path) -> None:
    [commands] = [code for language, code in blocks("A new check") if language == "sh"]
    listing, matrix, gate = commands.splitlines()

    assert "1 checks" in ran(with_new_check, listing)[1]
    status, output = ran(with_new_check, matrix)
    assert status == 0
    assert "1 of 1 faults noticed, 0 survive" in output
    status, output = ran(with_new_check, gate)
    assert status == 0
    assert "4 passed" in output


def test_check_without_a_mutant_fails_the_suites_own_tests(with_new_check: Path) -> None:
    mutants = with_new_check / "tests/mutants/faults/text.yaml"
    mutants.write_text(mutants.read_text().partition("text.second-question:")[0])

    status, output = ran(with_new_check, "pytest tests/mutants -k every")

    assert status == 1
    assert "text.second-question" in output
