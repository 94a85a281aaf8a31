"""A server of our own, that starts at once and misbehaves on request."""

from collections.abc import Callable
from pathlib import Path

import pytest

from servers import ModelPaths, ServerSpec, load_server
from tests.interruptible import interruptible

__all__ = ["interruptible"]

STAND_IN = Path(__file__).with_name("stand_in.py")
YAML = """\
title: Stand-in
homepage: https://example.invalid
licence: MIT
model_form: gguf
native:
  requirements: []
  releases:
    - {{version: "1.2.3", build: b9}}
  command: ["{command}", "{stand_in}", "{{port}}", "{manner}"]
  {more}
ready: {{timeout: {timeout}}}
identity:
  version:
    - {{path: /version, field: version}}
  {identity}
recipe: {{start: "true", settings: "{{}}"}}
"""
MakeSpec = Callable[..., ServerSpec]


@pytest.fixture
def make_spec(tmp_path: Path) -> MakeSpec:
    """Writes the YAML of a stand-in server that behaves in some manner, and loads it."""

    def make(
        manner: str = "well",
        *,
        more: str = "",
        identity: str = "",
        timeout: float = 20,
        command: str = "{python}",
    ) -> ServerSpec:
        text = YAML.format(
            stand_in=STAND_IN,
            manner=manner,
            more=more,
            identity=identity,
            timeout=timeout,
            command=command,
        )
        (tmp_path / "standin.yaml").write_text(text)
        return load_server("standin", tmp_path)

    return make


@pytest.fixture
def model(tmp_path: Path) -> ModelPaths:
    """Paths that the stand-in never opens."""
    return ModelPaths("tiny", tmp_path / "tiny.gguf", tmp_path / "tiny", "sha256:0")
