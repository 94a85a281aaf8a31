"""The rows of the catalogue: what each check requires, why, and what to do where it fails."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reports import Check, Layer, Level, Mode
from servers.yaml_file import load_yaml

_HERE = Path(__file__).parent


class Row(BaseModel):
    """One check, as its YAML holds it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*\.[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    level: Level
    requirement: Annotated[
        str, Field(description="quoted from `link`, or our own words where it has none")
    ]
    link: str
    why: str
    remedy: str
    layers: list[Layer] = list(Layer)
    modes: list[Mode] = list(Mode)


class Chapter(BaseModel):
    """One file of the catalogue."""

    model_config = ConfigDict(extra="forbid")

    chapter: str
    checks: list[Row]


@cache
def catalogue() -> dict[str, Check]:
    """Every check by its id, in the order of files and rows. `ServersError` names a wrong line."""
    chapters = (load_yaml(file, Chapter) for file in sorted(_HERE.glob("*.yaml")))
    return {
        row.id: Check.model_validate(
            {
                **row.model_dump(),
                "chapter": chapter.chapter,
                "layers": tuple(row.layers),
                "modes": tuple(row.modes),
            }
        )
        for chapter in chapters
        for row in chapter.checks
    }
