"""pytest wiring only."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["conformance.plugin"]

TESTS = Path(__file__).parent / "tests"
#: Seconds; to fetch a server for the first time takes minutes.
PATIENCE = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have a test of our own that waits for what never comes fail, by its name."""
    for item in items:
        if TESTS in item.path.parents:
            item.add_marker(pytest.mark.timeout(PATIENCE))
