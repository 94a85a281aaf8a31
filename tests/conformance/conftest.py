"""A real llama.cpp for the suite's own tests, and a stand-in for what it can't be made to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import ServerSpec, Target, load_server
from tests.conformance.start import ROOT
from tests.interruptible import interruptible
from tests.llamacpp import llamacpp

__all__ = ["interruptible"]


@pytest.fixture(scope="session")
def spec() -> ServerSpec:
    """llama.cpp's file."""
    return load_server("llamacpp")


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """llama.cpp, up and answering."""
    with llamacpp(tmp_path_factory.mktemp("logs")) as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the working tree, to be spoilt."""
    spoilt = ("conformance-report", ".git", ".venv", ".tox", "__pycache__", ".*_cache")
    return Path(shutil.copytree(ROOT, tmp_path / "copy", ignore=shutil.ignore_patterns(*spoilt)))
