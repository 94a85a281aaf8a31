"""What a report says that the module speaks is what it speaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from amplifier_module_provider_openai.config import Settings

from conformance.protocol import VARIABLE, Protocol
from reports import Verdict, cells, load
from servers import ServersError
from tests.conformance.start import run

READ = {False: Protocol.CHAT, True: Protocol.RESPONSES, "auto": Protocol.AUTO}


@pytest.mark.parametrize(
    "value", [None, "", " Auto ", True, "yes", "1", 1, "On", "0.5", False, "no", "off", "None", 0]
)
@pytest.mark.parametrize("environment", ["", "yes", "auto"])
def test_setting_is_read_as_the_module_reads_it(
    value: object, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, environment)
    read = Settings.from_config({"use_responses_api": value}).use_responses_api

    assert Protocol.of(value) is READ[read]


def test_setting_that_the_module_can_not_read_is_told() -> None:
    with pytest.raises(ServersError, match="use_responses_api is 'maybe', which the module can't"):
        Protocol.of("maybe")


def test_what_the_module_finds_out_by_itself_is_no_fault_where_requests_are_counted(
    tmp_path: Path,
) -> None:
    counted = "failures.retry-* or failures.retry or module.one-at-a-time or tools.none-offered"

    status, output = run(
        *("--server=llamacpp", "--protocol=auto", "--layer=provider"),
        *(f"--checks={counted}", f"--report-dir={tmp_path}"),
    )

    assert status == 0, output
    seen = {cell.check.id: cell.verdict for cell in cells(load(tmp_path / "report.json"))}
    assert seen["failures.retry-reset"] is seen["module.one-at-a-time"] is Verdict.WORKS
