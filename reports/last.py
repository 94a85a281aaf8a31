"""The run before this one, if its report is still there."""

from pathlib import Path

from reports.build import JSON
from reports.canonical import load
from reports.errors import UnreadableReport
from reports.model import Report


def last_run(folder: Path, now: Report) -> Report | None:
    """The newest finished report in the folders beside `folder` that asked the same servers."""
    beside = {path.resolve() for path in folder.resolve().parent.glob(f"*/{JSON}")}
    found = [_readable(path) for path in beside if path.parent != folder.resolve()]
    older = [
        report
        for report in found
        if report and report.finished and report.asked == now.asked and report.started < now.started
    ]
    return max(older, key=lambda report: report.started, default=None)


def _readable(path: Path) -> Report | None:
    """A report, or None for one that an older suite wrote."""
    try:
        return load(path)
    except UnreadableReport:
        return None
