"""Questions at once: all have ended when the check has, and what is left behind is no verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from conformance.at_once import all_of
from reports import Verdict, cells, load
from tests.conformance.start import run


async def _after(seconds: float, said: list[str], word: str) -> str:
    await asyncio.sleep(seconds)
    said.append(word)
    return word


async def _refused() -> str:
    raise ValueError("HTTP 500")


async def test_answers_come_in_the_order_of_the_questions() -> None:
    said: list[str] = []

    assert await all_of(_after(0.02, said, "slow"), _after(0, said, "quick")) == ["slow", "quick"]
    assert said == ["quick", "slow"]


async def test_nobody_is_left_under_way_by_the_first_ones_error() -> None:
    said: list[str] = []

    with pytest.raises(ValueError, match="HTTP 500"):
        await all_of(_refused(), _after(0.02, said, "slow"))
    assert said == ["slow"]


def test_what_is_left_behind_is_a_warning_and_no_verdict(tmp_path: Path) -> None:
    status, output = run(
        *("-p", "tests.conformance.loose_end", "--server=llamacpp"),
        *("--checks=text.plain or streaming.hang-up", f"--report-dir={tmp_path}"),
    )

    found = {cell.check.id: cell.verdict for cell in cells(load(tmp_path / "report.json"))}
    assert status == 0, output
    assert found["text.plain"] is found["streaming.hang-up"] is Verdict.WORKS
    assert "coroutine 'sleep' was never awaited" in output
