"""Puts a run into the repository: report, tables, badges and the evidence of what is red."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from reports import badge
from reports.atomic import write_whole
from reports.build import MARKDOWN, build
from reports.canonical import canonical
from reports.errors import AlteredReport, InvalidNotRun
from reports.markdown import EVIDENCE
from reports.model import Absent, Report, Result
from reports.readme import ensure_marked, rewrite
from reports.words import Outcome

BADGES = "badges"
NOT_RUN = "not-run.yaml"
"""Below the folder: the servers that a published run leaves out, and why."""

_ABSENT = TypeAdapter(tuple[Absent, ...])


def publish(report: Report, folder: Path, readme: Path) -> Report:
    """Write everything below `folder` and the table of `readme`; returns what was written.

    Exchanges, events and logs of results that passed are left out, so that the repository
    stays small. Raises AlteredReport, InvalidNotRun and UnmarkedFile before anything is written.
    """
    _ensure_unaltered(report)
    slim = canonical(
        report.model_copy(
            update={
                "absent": tuple(_absent(report, not_run(folder / NOT_RUN))),
                "results": tuple(_slim(result) for result in report.results),
            }
        )
    )
    ensure_marked(readme)
    for made in (EVIDENCE, BADGES):
        shutil.rmtree(folder / made, ignore_errors=True)
    build(slim, folder)
    for target in slim.targets:
        write_whole(folder / f"{BADGES}/{target.id}.svg", badge.svg(slim, target))
        write_whole(folder / f"{BADGES}/{target.id}.json", badge.endpoint(slim, target))
    rewrite(readme, slim, Path(os.path.relpath(folder / MARKDOWN, readme.parent)).as_posix())
    return slim


def _ensure_unaltered(report: Report) -> None:
    for target in report.targets:
        if target.faults:
            raise AlteredReport(
                f"The answers of {target.id} were altered on their way: {target.faults[0]}.",
                "Run it again without --fault.",
            )


def not_run(path: Path) -> tuple[Absent, ...]:
    """The servers that a published run may leave out; raises InvalidNotRun with the line."""
    text = path.read_text(encoding="utf-8") if path.exists() else "[]"
    try:
        return _ABSENT.validate_python(yaml.safe_load(text), strict=False)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidNotRun(f"{path}:{line} is no YAML: {error.problem}.", _HINT) from error
    except ValidationError as error:
        # A misspelt key is also a missing one; the misspelt one is where the mistake is.
        first = max(error.errors(), key=lambda one: one["type"] == "extra_forbidden")
        place = ".".join(str(part) for part in first["loc"])
        line = _line(yaml.compose(text), first["loc"])
        raise InvalidNotRun(f"{path}:{line}: {place}: {first['msg']}.", _HINT) from error


_HINT = "It is a list of servers, each with `server`, `title` and `reason`."


def _line(node: Any, place: tuple[int | str, ...]) -> int:
    """The line of the innermost node on the way to `place`."""
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            node = next((key for key, _ in node.value if key.value == part), node)
    return int(node.start_mark.line) + 1 if node else 1


def _absent(report: Report, left_out: Iterable[Absent]) -> Iterator[Absent]:
    """What was asked for and stayed away, in the run's own words; then what nobody asked for."""
    away = set(report.asked) - {target.id for target in report.targets}
    own = [one for one in report.absent if one.server in away]
    for one in own:
        yield one.model_copy(update={"reason": one.reason.partition("\n")[0]})
    # A target's id may have a release in it; the title is that of its product.
    told = {one.server for one in own} | {one.title for one in own}
    told |= {target.server for target in report.targets}
    yield from (one for one in left_out if told.isdisjoint((one.server, one.title)))


def _slim(result: Result) -> Result:
    if result.outcome is not Outcome.PASS:
        return result
    return result.model_copy(update={"exchanges": (), "events": (), "log": ""})
