"""What a run on GitHub Actions shows: annotations in the log, a summary of the step."""

from reports.escape import visible
from reports.gate import Gate, Reason
from reports.markdown import render
from reports.model import Report

SUMMARY_LIMIT = 1_000_000
"""Bytes; GitHub refuses summaries above 1 MiB."""
ANNOTATION_LIMIT = 10
"""GitHub shows so many errors, and so many warnings, of a step."""


def annotations(judged: Gate) -> list[str]:
    """A workflow command for each reason and warning, as many as are shown."""
    reasons, warnings = judged.reasons, judged.warnings
    return [
        *(_command("error", reason) for reason in reasons[:ANNOTATION_LIMIT]),
        *(_command("warning", warning) for warning in warnings[:ANNOTATION_LIMIT]),
        f"::notice title=Gate::{_data(str(judged))}",
    ]


def step_summary(report: Report, judged: Gate) -> str:
    """Markdown: the judgement, then the table as far as there is room."""
    whole = f"**{judged}**\n\n{render(report, pages=None)}"
    kept = whole.encode()[:SUMMARY_LIMIT].decode(errors="ignore")
    return whole if kept == whole else f"{kept}\n\nThe rest is in report.md.\n"


def _command(kind: str, reason: Reason) -> str:
    title = _data(reason.cell or reason.kind).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={title}::{_data(str(reason))}"


def _data(text: str) -> str:
    shown = visible(text, 1000)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
