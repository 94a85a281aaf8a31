"""The gate on a real container engine; `.ci/container` brings one up and builds the image."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from servers import load_server
from servers.engine import connect
from tests.conformance.start import start
from tests.conformance.test_runs import SLOWLY, wait_for_results


def containers() -> set[str]:
    """The suite's containers that the engine knows, running or not."""
    found = connect().containers.list(all=True, filters={"name": "provider-openai-"})
    return {container.name for container in found}


@pytest.mark.engine
def test_no_container_is_left_ten_seconds_after_kill_9(tmp_path: Path) -> None:
    container = load_server("llamacpp").container
    assert container is not None
    assert container.local is not None
    server = f"--server=llamacpp,how=container,image={container.local.tag}"
    process = start(server, f"--report-dir={tmp_path}", SLOWLY)
    wait_for_results(tmp_path, 10)
    assert len(containers()) == 1

    process.send_signal(signal.SIGKILL)
    process.communicate()
    ended = time.monotonic() + 10
    while containers() and time.monotonic() < ended:
        time.sleep(0.1)

    assert not containers()
