"""The short table for a README or release notes, kept between two markers of a file."""

from pathlib import Path

from reports.atomic import write_whole
from reports.cells import cells
from reports.errors import UnmarkedFile
from reports.escape import plain, prose
from reports.groups import Group, chapters, groups
from reports.markdown import expectations, footnotes, incomplete
from reports.model import Expectation, Report, Target
from reports.words import Layer

BEGIN = "<!-- compatibility table: begin -->"
END = "<!-- compatibility table: end -->"
LEGEND = "✔ all, ◑ some, ✘ none, ⊘ none and cleanly refused, ≈ inconclusive, – not asked."


def table(report: Report, footnotes_at: str | None = None) -> str:
    """Chapters and targets; in each cell the checks passed on the wire and through the module.

    Footnotes stand below, or at the address where `render` of the same report has them.
    """
    found = groups(report)
    notes = expectations(cells(report))
    lines = [
        f"| wire / provider | {' | '.join(_column(report, target) for target in report.targets)} |",
        f"| --- |{' --- |' * len(report.targets)}",
    ]
    for chapter in chapters(report):
        marks = [_group(found[chapter, target.id], notes) for target in report.targets]
        lines.append(f"| {plain(chapter)} | {' | '.join(marks)} |")
    day = f"{report.finished or report.started:%Y-%m-%d}"
    below = [
        f"Checks passed of checks asked, {day}, suite {report.suite_version}. Not a ranking.",
        LEGEND,
        *incomplete(report),
        *(f"{plain(one.title)}: not run here: {prose(one.reason)}." for one in report.absent),
        *_below(list(footnotes(notes)), footnotes_at),
    ]
    return "\n\n".join(["\n".join(lines), *below])


def rewrite(path: Path, report: Report, footnotes_at: str | None = None) -> None:
    """Put the table between the markers of a file; raises UnmarkedFile where it lacks them."""
    before, after = ensure_marked(path)
    write_whole(path, f"{before}{BEGIN}\n{table(report, footnotes_at)}\n{END}{after}")


def ensure_marked(path: Path) -> tuple[str, str]:
    """What stands before and behind the table of a file; raises UnmarkedFile."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnmarkedFile(f"{path} can't be read: {error.strerror}.", "Name a file.") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UnmarkedFile(
            f"{path} has no place for the table.", f"Put the lines {BEGIN} and {END} into it."
        )
    return before, after


def _below(notes: list[str], elsewhere: str | None) -> list[str]:
    """Footnotes under a line that opens them or leads to them: a server may have many."""
    if notes and elsewhere:
        return [f"The numbers are [known divergences]({elsewhere})."]
    summary = f"<details><summary>Known divergences: {len(notes)}</summary>"
    return [summary, *notes, "</details>"] if notes else []


def _column(report: Report, target: Target) -> str:
    return f"{plain(report.name(target))} {plain(target.release)}"


def _group(group: Group, notes: list[Expectation]) -> str:
    marks = [_tally(group, layer) for layer in Layer]
    known = {notes.index(note) + 1 for cell in group.cells for note in cell.expectations}
    numbers = f" ({', '.join(map(str, sorted(known)))})" if known else ""
    return " / ".join(marks) + numbers


def _tally(group: Group, layer: Layer) -> str:
    tally = group.tally(layer)
    return f"{tally.sign} {tally}" if tally.total else str(tally)
