"""The server that is harmed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers import ServerSpec, Target, load_server
from tests.llamacpp import llamacpp


@pytest.fixture(scope="session")
def spec() -> ServerSpec:
    """llama.cpp's file."""
    return load_server("llamacpp")


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """llama.cpp, up and answering."""
    with llamacpp(tmp_path_factory.mktemp("logs")) as running:
        yield running
