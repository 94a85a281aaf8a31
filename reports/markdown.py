"""The report as a Markdown table: checks by chapter, a column for each target."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from reports.cells import Cell, cells, rows
from reports.counts import PLACES, outcomes, ran
from reports.escape import code, link, plain, prose
from reports.marks import MEANING, VERDICT, mark
from reports.model import Expectation, Report, Target
from reports.words import Outcome, Verdict

EVIDENCE = "evidence"


def render(report: Report, pages: str | None = f"{EVIDENCE}/") -> str:
    """The whole report; a cell that isn't simply right links to its page below `pages`, if any."""
    table = cells(report)
    parts = [
        "# Compatibility report",
        f"Suite {code(report.suite_version)}, {_day(report)}. Not a ranking.",
        *incomplete(report),
        _targets(report),
        _counts(report, table),
        _verdicts(report, table, pages),
        _legend(table),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def incomplete(report: Report) -> Iterator[str]:
    """A line for each thing that the run lacks."""
    return (f"**Incomplete:** {plain(reason)}" for reason in report.incomplete)


def _day(report: Report) -> str:
    return f"{report.finished or report.started:%Y-%m-%d %H:%M %Z}"


def _row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _grid(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join([_row(header), _row(["---"] * len(header)), *map(_row, lines)])


def _targets(report: Report) -> str:
    header = ["target", "server", "version", "build", "model", "started", "protocol", "provider"]
    lines = [_target(target) for target in report.targets]
    absent = [f"{plain(one.title)}: not run here: {prose(one.reason)}" for one in report.absent]
    return "\n\n".join(([_grid(header, lines)] if lines else []) + absent)


def _target(target: Target) -> list[str]:
    facts = [target.version, target.build or "", target.model_name]
    image = f", {target.image}" if target.image else ""
    altered = ", answers altered by --fault" if target.faults else ""
    started = f"{target.started:%Y-%m-%d}, {target.how}{image}{altered}"
    told = [plain(started), plain(target.protocol), code(target.provider)]
    return [target.id, plain(target.title), *(code(fact) for fact in facts), *told]


def _counts(report: Report, table: list[Cell]) -> str:
    header = ["target", "layer", "mode", "ran", *Outcome]
    lines = []
    for target in report.targets:
        own = [cell for cell in table if cell.target.id == target.id]
        for layer, mode in PLACES:
            counted = outcomes(own, layer, mode)
            figures = [str(counted[outcome] or "–") for outcome in Outcome]
            lines.append([target.id, layer, mode, ran(counted), *figures])
    return _grid(header, lines) if lines else "No check ran."


def _verdicts(report: Report, table: list[Cell], pages: str | None) -> str:
    if not report.targets:
        return ""
    header = ["check", "level", *(target.id for target in report.targets)]
    notes = expectations(table)
    parts = []
    for chapter, found in groupby(rows(report), key=lambda row: row[0].chapter):
        lines = [
            [code(check.id), check.level, *(_cell(one, notes, pages) for one in own)]
            for check, own in found
        ]
        parts.append(f"## {plain(chapter)}\n\n{_grid(header, lines)}")
    return "\n\n".join([*parts, *footnotes(notes)])


def _cell(cell: Cell, notes: list[Expectation], pages: str | None) -> str:
    shown = mark(cell)
    numbers = [str(notes.index(one) + 1) for one in cell.expectations]
    note = f" ({', '.join(numbers)})" if numbers else ""
    if cell.verdict is Verdict.WORKS or not cell.results or pages is None:
        return shown + note
    return f"[{shown}]({pages}{cell.page}.md){note}"


def expectations(table: list[Cell]) -> list[Expectation]:
    """The known divergences of all cells, each once."""
    return list(dict.fromkeys(one for cell in table for one in cell.expectations))


def footnotes(notes: list[Expectation]) -> Iterator[str]:
    """A numbered line for each of them."""
    for number, note in enumerate(notes, 1):
        issue = f" {link(note.issue)}" if note.issue else ""
        until = f"{seen_on(note)}{to_be_checked(note)}"
        yield f"({number}) {prose(note.reason).rstrip('.')}{issue}; {until}."


def to_be_checked(known: Expectation) -> str:
    """By which day somebody looks at it again."""
    return (
        f"to be checked again by {known.recheck_by}" if known.recheck_by else "true of any server"
    )


def seen_on(known: Expectation) -> str:
    """`seen on b11549, `, where that is told."""
    return f"seen on {plain(known.seen_on)}, " if known.seen_on else ""


def _legend(table: list[Cell]) -> str:
    used = {cell.verdict for cell in table}
    shown = [verdict for verdict in Verdict if verdict in used]
    return "\n".join(f"- {VERDICT[one]} {one}: {MEANING[one]}" for one in shown)
