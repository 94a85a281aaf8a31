"""Puts a report's files into a folder."""

from collections.abc import Iterator
from pathlib import Path

from reports.atomic import write_whole
from reports.canonical import dumps
from reports.cells import cells
from reports.evidence import evidence
from reports.markdown import EVIDENCE, render
from reports.model import Report

JSON = "report.json"
MARKDOWN = "report.md"


def build(report: Report, folder: Path) -> list[Path]:
    """Write the JSON document, the table and a page for each cell that has results."""
    written = []
    for name, text in _files(report):
        path = folder / name
        write_whole(path, text)
        written.append(path)
    return written


def _files(report: Report) -> Iterator[tuple[str, str]]:
    yield JSON, dumps(report)
    yield MARKDOWN, render(report)
    for cell in cells(report):
        if cell.results:
            yield f"{EVIDENCE}/{cell.page}.md", evidence(cell)
