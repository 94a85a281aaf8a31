"""A plugin that leaves behind in each check what nobody awaits, as a request cut off does."""

from __future__ import annotations

import asyncio


def pytest_runtest_call() -> None:
    """Called as each check is about to run."""
    left = asyncio.sleep(0)
    del left
