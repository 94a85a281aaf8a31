"""The run before this one, if its report is still there."""

import json
from pathlib import Path

from reports.build import JSON
from reports.canonical import load
from reports.errors import UnreadableReport
from reports.model import Report

HEAD = 4096
"""Bytes of a report in which it says what it was asked."""


def last_run(folder: Path, now: Report) -> Report | None:
    """The newest finished report in the folders beside `folder` that asked the same servers."""
    beside = {path.resolve() for path in folder.resolve().parent.glob(f"*/{JSON}")}
    others = [path for path in beside if path.parent != folder.resolve() and _may_be(path, now)]
    newest_first = sorted(others, key=_written, reverse=True)
    return next((one for one in map(_readable, newest_first) if one and _is_before(one, now)), None)


def _may_be(path: Path, now: Report) -> bool:
    """Whether the head of a report, where it says what it was asked, names the same servers."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).decode(errors="replace")
    except OSError:  # somebody else's, or gone meanwhile
        return False
    return all(json.dumps(server) in head for server in now.asked)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _is_before(older: Report, now: Report) -> bool:
    alike = older.asked == now.asked and _how_asked(older) == _how_asked(now)
    return older.finished is not None and alike and older.started < now.started


def _how_asked(report: Report) -> dict[str, tuple[object, ...]]:
    """What must be the same for a change to be news: releases and modules need not."""
    return {
        one.id: (one.model, one.model_digest, one.protocol, one.faults) for one in report.targets
    }


def _readable(path: Path) -> Report | None:
    """A report, or None for one that an older suite wrote."""
    try:
        return load(path)
    except UnreadableReport:
        return None
