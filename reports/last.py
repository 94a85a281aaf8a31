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
    newest_first = sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)
    return next((one for one in map(_readable, newest_first) if one and _is_before(one, now)), None)


def _may_be(path: Path, now: Report) -> bool:
    """Whether the head of a report, where it says what it was asked, names the same servers."""
    with path.open("rb") as file:
        head = file.read(HEAD).decode(errors="replace")
    return all(json.dumps(server) in head for server in now.asked)


def _is_before(older: Report, now: Report) -> bool:
    asked_alike = older.asked == now.asked
    return older.finished is not None and asked_alike and older.started < now.started


def _readable(path: Path) -> Report | None:
    """A report, or None for one that an older suite wrote."""
    try:
        return load(path)
    except UnreadableReport:
        return None
