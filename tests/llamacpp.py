"""A real llama.cpp for the suite's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.model.files import tiny_model
from servers import ModelPaths, Target, launch, load_server


@contextmanager
def llamacpp(folder: Path) -> Iterator[Target]:
    """llama.cpp with the tiny model, up and answering; its log is in `folder`."""
    model = tiny_model()
    paths = ModelPaths(model.name, model.gguf, model.safetensors, model.digest)
    with launch(load_server("llamacpp"), model=paths, log=folder / "llamacpp.log") as running:
        yield running
