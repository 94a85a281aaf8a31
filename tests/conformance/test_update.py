"""--update-expectations and --repeat, as people use them, on a copy of the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reports import load
from tests.conformance.start import run

#: The first fails on llama.cpp, the second passes.
CHECKS = "--checks=tools.parallel-off or text.plain"


def expectations(file: Path) -> dict[str, str]:
    """The reason of each expectation, by its check."""
    rows = yaml.safe_load(file.read_text())["expectations"]
    return {row["check"]: row["reason"] for row in rows}


def test_run_writes_what_it_saw_and_leaves_the_reason_to_a_person(checkout: Path) -> None:
    file = checkout / "servers/llamacpp.yaml"
    before = expectations(file)
    text = file.read_text()
    # The one that holds is taken for another one, which doesn't.
    file.write_text(text.replace("check: tools.parallel-off", "check: text.plain"))

    _, output = run("--server=llamacpp", CHECKS, "--update-expectations", cwd=checkout)

    assert "1 added (tools.parallel-off); 1 removed (text.plain)" in output
    after = expectations(file)
    assert after.pop("tools.parallel-off").startswith("FILL IN: expected one tool call")
    assert after == {check: why for check, why in before.items() if check != "tools.parallel-off"}


def test_what_nobody_explained_is_refused_with_its_line(checkout: Path) -> None:
    file = checkout / "servers/llamacpp.yaml"
    file.write_text(file.read_text().replace("reason: >-\n      ", "reason: >-\n      FILL IN ", 1))

    status, output = run("--server=llamacpp", CHECKS, cwd=checkout)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert "llamacpp.yaml:" in output
    assert "the reason is still to be written" in output


@pytest.mark.parametrize(
    "more", [["--fault=cut:9"], ["--layer=wire"], ["--protocol=responses"], ["--server=mine"]]
)
def test_only_what_servers_do_by_themselves_is_written(more: list[str]) -> None:
    server = [option.replace("mine", "http://127.0.0.1:1/v1,model=m") for option in more]

    status, output = run("--server=llamacpp", "--update-expectations", *server)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert "hint:" in output


def test_repeated_run_tells_rates(tmp_path: Path) -> None:
    status, output = run("--server=llamacpp", CHECKS, "--repeat=3", f"--report-dir={tmp_path}")

    report = load(tmp_path / "report.json")
    rates = {one.check: str(one.rate) for one in report.results if one.case is None}
    assert status == 0
    assert rates["text.plain"] == "passed 3 of 3, 44% to 100%"
    assert rates["tools.parallel-off"] == "passed 0 of 3, 0% to 56%"
    assert "of which 0 flip" in output


def test_asking_less_than_once_is_refused() -> None:
    status, output = run("--server=llamacpp", "--repeat=0")

    assert status == pytest.ExitCode.USAGE_ERROR
    assert "--repeat: once at least" in output
