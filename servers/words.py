"""The words in braces that a YAML file may use in commands."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from servers.target import ModelPaths


class Words:
    """What stands for `{port}`, `{gguf}` …; other braces, as in JSON, stay as they are."""

    def __init__(self, model: ModelPaths, **more: str | int) -> None:
        self._known: dict[str, str | int | Path] = {
            "model": model.name,
            "gguf": model.gguf,
            "model_home": model.gguf.parent.parent,
            "safetensors": model.safetensors,
            "servers": Path(__file__).parent,
            **more,
        }

    def fill(self, text: str) -> str:
        """The text with every known word replaced."""
        for name, value in self._known.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def fill_all(self, commands: Sequence[Sequence[str]]) -> list[list[str]]:
        """Commands that are taken apart already."""
        return [[self.fill(part) for part in command] for command in commands]

    def split(self, lines: Sequence[str]) -> list[str]:
        """Arguments of a command, as a shell would see them; words may hold blanks."""
        return [self.fill(part) for line in lines for part in shlex.split(line)]
