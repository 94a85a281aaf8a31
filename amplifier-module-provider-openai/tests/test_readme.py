"""The table of `README.md` names every check once, and no test that isn't there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROWS = re.findall(r"^\| (\d+) \|.*\|$", (HERE / "README.md").read_text(), re.MULTILINE)
NAMED = re.findall(r"`(test_\w+\.py)::(\w+)`", (HERE / "README.md").read_text())


def functions_in(file: str) -> set[str]:
    """Names of the functions of a file."""
    nodes = ast.parse((HERE / file).read_text()).body
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in nodes if isinstance(node, functions)}


def test_every_check_has_its_row() -> None:
    assert [int(number) for number in ROWS] == list(range(1, 26))


def test_every_row_names_a_test() -> None:
    lines = (HERE / "README.md").read_text().splitlines()
    rows = [line for line in lines if re.match(r"\| \d", line)]

    assert all(re.search(r"`test_\w+\.py::test_\w+`", row) for row in rows)


def test_every_test_that_is_named_exists() -> None:
    missing = [f"{file}::{name}" for file, name in NAMED if name not in functions_in(file)]

    assert not missing
