"""The table at the end of a run, for a terminal."""

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.escape import line
from reports.groups import Group, chapters, groups
from reports.model import Report
from reports.words import Layer

_STYLE = {"✔": "green", "◑": "yellow", "≈": "yellow", "✘": "red", "⚠": "magenta"}


def table_lines(report: Report, *, width: int = 100, colour: bool = False) -> list[str]:
    """Chapters and targets; in each cell the checks passed on the wire and through the module."""
    table = Table("wire / provider", title_justify="left")
    for target in report.targets:
        table.add_column(Text(line(f"{report.name(target)}\n{target.release}", 80)))
    found = groups(report)
    for chapter in chapters(report):
        row = [_cell(found[chapter, target.id]) for target in report.targets]
        table.add_row(Text(line(chapter, 40)), *row)
    console = Console(file=io.StringIO(), width=width, force_terminal=colour, no_color=not colour)
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


def _cell(group: Group) -> Text:
    shown = Text()
    for number, layer in enumerate(Layer):
        tally = group.tally(layer)
        shown.append(" / " if number else "")
        shown.append(f"{tally.sign} " if tally.total else "", _STYLE.get(tally.sign, ""))
        shown.append(str(tally))
    return shown
