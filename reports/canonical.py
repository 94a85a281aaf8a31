"""One order and one spelling for equal reports, so that they are equal byte for byte."""

from pathlib import Path

from pydantic import ValidationError

from reports.errors import UnreadableReport
from reports.model import Report


def canonical(report: Report) -> Report:
    """The report with everything in the order of its keys."""
    return report.model_copy(
        update={
            "asked": tuple(sorted(set(report.asked))),
            "targets": tuple(sorted(report.targets, key=lambda target: target.id)),
            "absent": tuple(sorted(report.absent, key=lambda absent: absent.server)),
            "checks": tuple(sorted(report.checks, key=lambda check: (check.chapter, check.id))),
            "results": tuple(sorted(report.results, key=lambda result: result.key)),
            "kills": tuple(sorted(report.kills, key=lambda kill: (kill.check, kill.mutant))),
            "incomplete": tuple(sorted(set(report.incomplete))),
        }
    )


def dumps(report: Report) -> str:
    """The report as JSON text."""
    return canonical(report).model_dump_json(indent=1) + "\n"


def load(path: Path) -> Report:
    """A report from its JSON file; raises UnreadableReport with what is wrong and where."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UnreadableReport(
            f"{path} can't be read: {error.strerror}.", "Name the report.json of a run."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise UnreadableReport(
            f"{path} is no report of schema 1: {place}: {first['msg']}.",
            "Name the report.json of a run, made by this version of the suite.",
        ) from error
