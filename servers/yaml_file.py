"""YAML that people edit: validated on load, and a mistake is named with its file and line."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from servers.errors import InvalidServerFile

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]
#: libyaml's, which reads the catalogue ten times as fast, where PyYAML was built with it.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(file: Path, model: type[Model], extra: Mapping[str, Any] | None = None) -> Model:
    """Read `file` as a `model`, with the fields `extra` on top; InvalidServerFile says where."""
    text = file.read_text(encoding="utf-8")
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidServerFile(
            file, line, "YAML", error.problem or "can't be read", "see https://yaml.org"
        ) from None
    if not isinstance(data, dict):
        raise InvalidServerFile(file, 1, "YAML", "holds no keys", "start from another server's")
    try:
        return model.model_validate({**data, **(extra or {})})
    except ValidationError as error:
        raise _first_error(file, text, error, model) from None


def _first_error(
    file: Path, text: str, error: ValidationError, model: type[BaseModel]
) -> InvalidServerFile:
    details = error.errors(include_url=False, include_context=False)
    first = next((d for d in details if d["type"] == "extra_forbidden"), details[0])
    node = yaml.compose(text, Loader=_Loader)
    line = _line_of(node, first["loc"]) if node else 1
    return InvalidServerFile(file, line, _dotted(first["loc"]), *_explain(first, model))


def _explain(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    if detail["type"] == "extra_forbidden":
        return "no such key", _did_you_mean(str(detail["loc"][-1]), set(_field_names(model)))
    if detail["type"] == "missing":
        return "this key is missing", "add it"
    problem = detail["msg"].removeprefix("Value error, ")
    return f"{problem[:1].lower()}{problem[1:]}, got {detail['input']!r}", "correct the value"


def _did_you_mean(key: str, known: set[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"


def _field_names(model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def _dotted(location: Location) -> str:
    return ".".join(map(str, location))


def _line_of(node: yaml.Node, location: Location) -> int:
    """Line of the deepest part of `location` that the document has."""
    line = node.start_mark.line + 1
    for part in location:
        match node:
            case yaml.MappingNode():
                pairs = {key.value: (key, value) for key, value in node.value}
                if str(part) not in pairs:
                    return line
                key, node = pairs[str(part)]
                line = key.start_mark.line + 1
            case yaml.SequenceNode() if isinstance(part, int):
                node = node.value[part]
                line = node.start_mark.line + 1
            case _:
                return line
    return line
