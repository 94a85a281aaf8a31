"""A fixture for tests that interrupt what they start; a conftest imports it."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Let processes that tests start take Ctrl-C, also where this one was told to ignore it.

    A shell that puts a command into the background makes it ignore SIGINT, and all that it starts.
    """
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
