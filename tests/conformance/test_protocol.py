"""What a report says that the module speaks is what it speaks."""

from __future__ import annotations

import pytest
from amplifier_module_provider_openai.config import Settings

from conformance.protocol import VARIABLE, Protocol
from servers import ServersError

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
