"""pytest wiring only."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["conformance.plugin"]

TESTS = Path(__file__).parent / "tests"
#: Seconds; to fetch a server for the first time takes minutes.
PATIENCE = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have a test of our own that waits for what never comes fail, by its name.

    None of them may be lost: a check, without a server, would only be skipped.
    """
    for item in items:
        if TESTS in item.path.parents:
            if item.get_closest_marker("check"):  # a module of the same name took its place
                raise pytest.UsageError(f"{item.nodeid} is a check of the suite, and no test of it")
            item.add_marker(pytest.mark.timeout(PATIENCE))
