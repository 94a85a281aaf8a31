"""The rows of the catalogue: what each check requires, why, and what to do where it fails."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reports import Check, Layer, Level, Mode
from servers.yaml_file import load_yaml

_HERE = Path(__file__).parent
_EXCLUSIONS = _HERE / "exclusions.yaml"
_BUGS = _HERE / "bugs.yaml"


class Row(BaseModel):
    """One check, as its YAML holds it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*\.[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    level: Level
    requirement: Annotated[
        str, Field(description="quoted from `link`, or our own words after it, as `quoted` says")
    ]
    quoted: Annotated[bool, Field(description="false: our own words")] = True
    link: str
    why: Annotated[str, Field(description="why an agent cares")]
    remedy: Annotated[str, Field(description="what whoever maintains the server can mend")]
    for_users: Annotated[
        str, Field(description="what whoever runs the server can do today, if only report it")
    ]
    layers: list[Layer] = list(Layer)
    modes: list[Mode] = list(Mode)
    own_model: Annotated[
        bool, Field(description="needs words that only the suite's own model is sure to say")
    ] = False
    optional: Annotated[
        bool, Field(description="servers may refuse it, in words: unsupported, and no failure")
    ] = False
    covers: Annotated[
        list[str], Field(description="features that it checks, by their ids in exclusions.yaml")
    ] = []

    @model_validator(mode="after")
    def _must_is_not_optional(self) -> Self:
        if self.optional and self.level is Level.MUST:
            raise ValueError("what servers may refuse is no MUST")
        return self


class Chapter(BaseModel):
    """One file of the catalogue; rows that say nothing of `quoted` or `for_users` take its own."""

    model_config = ConfigDict(extra="forbid")

    chapter: str
    quoted: bool | None = None
    for_users: str | None = None
    checks: list[Row]

    @model_validator(mode="before")
    @classmethod
    def _said_once(cls, data: Any) -> Any:
        said = {key: data[key] for key in ("quoted", "for_users") if key in data}
        rows = data.get("checks")
        if not said or not isinstance(rows, list):
            return data
        return data | {"checks": [said | row if isinstance(row, dict) else row for row in rows]}


class Exclusion(BaseModel):
    """A feature, or a part of one, that is not checked, and why."""

    model_config = ConfigDict(extra="forbid")

    feature: str
    reason: Annotated[str, Field(min_length=20)]


class Bug(BaseModel):
    """A fault that some server has or had: the checks that catch it, or why none does."""

    model_config = ConfigDict(extra="forbid")

    bug: int
    server: str
    fault: str
    checks: list[str] = []
    reason: str = ""


class Exclusions(BaseModel):
    """The file of what is left out; `features` names all there are, by their ids."""

    model_config = ConfigDict(extra="forbid")

    features: dict[str, str]
    exclusions: list[Exclusion]


class Bugs(BaseModel):
    """The file of known faults."""

    model_config = ConfigDict(extra="forbid")

    bugs: list[Bug]


@cache
def catalogue() -> dict[str, Check]:
    """Every check by its id, in the order of files and rows. `ServersError` names a wrong line."""
    return {
        row.id: Check.model_validate(
            {
                **row.model_dump(exclude={"covers", "own_model", "optional"}),
                "chapter": chapter.chapter,
                "layers": tuple(row.layers),
                "modes": tuple(row.modes),
            }
        )
        for chapter in chapters()
        for row in chapter.checks
    }


@cache
def own_model_checks() -> frozenset[str]:
    """The checks that no other model than the suite's own can be held to."""
    rows = (row for chapter in chapters() for row in chapter.checks)
    return frozenset(row.id for row in rows if row.own_model)


@cache
def optional_checks() -> frozenset[str]:
    """The checks of what servers may refuse."""
    rows = (row for chapter in chapters() for row in chapter.checks)
    return frozenset(row.id for row in rows if row.optional)


@cache
def chapters() -> list[Chapter]:
    """The catalogue's files in order. `ServersError` names a wrong line."""
    files = sorted(set(_HERE.glob("*.yaml")) - {_EXCLUSIONS, _BUGS})
    return [load_yaml(file, Chapter) for file in files]


def exclusions() -> Exclusions:
    """What of the Chat Completions API is not checked, and why."""
    return load_yaml(_EXCLUSIONS, Exclusions)


def bugs() -> list[Bug]:
    """Known faults of servers, each with the checks that catch it."""
    return load_yaml(_BUGS, Bugs).bugs
