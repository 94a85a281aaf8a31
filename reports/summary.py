"""The lines at the end of a run: how many ran, which cells are red and where to look."""

from collections.abc import Iterator
from pathlib import Path

from reports.cells import Cell, cells
from reports.counts import PLACES, outcomes, ran
from reports.diff import as_text, diff
from reports.escape import line
from reports.gate import WARNINGS, Gate
from reports.marks import OUTCOME
from reports.model import Check, Report, Target
from reports.words import Layer, Mode, Outcome, Verdict

NEWS = 10
"""Changes against the last run that are shown."""


def summary_lines(
    report: Report, judged: Gate, evidence: Path, before: Report | None = None
) -> list[str]:
    """Plain lines for a terminal; `evidence` is the folder that holds a page for each cell.

    With a report `before`, also what is new against it.
    """
    table = cells(report)
    shown: list[str] = []
    for target in report.targets:
        shown += _counts(target, [cell for cell in table if cell.target.id == target.id])
    for cell in table:
        if cell.verdict is not Verdict.WORKS:
            shown += _cell(cell, evidence)
    shown += _flips(report)
    if before:
        shown += _news(before, report)
    shown += [f"✘ {line(str(reason), 1000)}" for reason in judged.reasons]
    return [*shown, *_warnings(judged), str(judged)]


def _warnings(judged: Gate) -> Iterator[str]:
    yield from (f"! {line(str(warning), 1000)}" for warning in judged.warnings[:WARNINGS])
    if len(judged.warnings) > WARNINGS:
        yield f"  and {len(judged.warnings) - WARNINGS} more warnings: python -m reports gate"


def _news(before: Report, report: Report) -> Iterator[str]:
    counted, *changes = as_text(diff(*_alike(before, report))).splitlines()
    yield f"Against the run of {before.started:%Y-%m-%d %H:%M %Z}: {counted}"
    yield from (f"  {change}" for change in changes[:NEWS])
    if len(changes) > NEWS:
        yield f"  and {len(changes) - NEWS} more: python -m reports diff"


def _flips(report: Report) -> Iterator[str]:
    """Where checks were asked several times: which of them did not always give the same."""
    rated = [result for result in report.results if result.rate]
    flips = [result for result in rated if result.rate and result.rate.flips]
    if rated:
        yield f"Asked several times: {len(rated)} results, of which {len(flips)} flip"
    for one in flips:
        case = f" during {one.case}" if one.case else ""
        yield f"  flips: {one.target}/{one.check} {one.layer}, {one.mode}{case}: {one.rate}"


def _alike(before: Report, report: Report) -> tuple[Report, Report]:
    """Both reports, of the checks, layers and modes that both have; the rest is no news."""
    new = {check.id: check for check in report.checks}
    places = _places(before) & _places(report)
    modes = {mode for _, mode in places}
    rows = [_shared(check, new[check.id], modes) for check in before.checks if check.id in new]
    kept = {row.id: row for row in rows if row.layers and row.modes}
    return _narrowed(before, kept, places), _narrowed(report, kept, places)


def _places(report: Report) -> set[tuple[Layer, Mode]]:
    return {(result.layer, result.mode) for result in report.results}


def _shared(check: Check, other: Check, modes: set[Mode]) -> Check:
    """A row with the layers that both rows have: one alone would be judged without the other."""
    return check.model_copy(
        update={
            "layers": tuple(layer for layer in check.layers if layer in other.layers),
            "modes": tuple(mode for mode in check.modes if mode in modes),
        }
    )


def _narrowed(report: Report, rows: dict[str, Check], places: set[tuple[Layer, Mode]]) -> Report:
    """The report with these rows alone, and what was seen during their checks."""
    cases = {None, *rows}
    results = [
        one
        for one in report.results
        if one.check in rows and one.case in cases and (one.layer, one.mode) in places
    ]
    update = {"checks": tuple(rows.values()), "results": tuple(results)}
    return report.model_copy(update=update)


def _counts(target: Target, own: list[Cell]) -> Iterator[str]:
    altered = ", answers altered by --fault" if target.faults else ""
    yield line(f"{target.title} {target.release}, model {target.model_name}, {target.how}{altered}")
    for layer, mode in PLACES:
        counted = outcomes(own, layer, mode)
        figures = [f"{OUTCOME[one]} {counted[one]} {one}" for one in Outcome if counted[one]]
        yield f"  {layer:<8} {mode:<6} ran {ran(counted):<9} {', '.join(figures)}".rstrip()


def _cell(cell: Cell, evidence: Path) -> Iterator[str]:
    known = ", expected" if cell.expected else ""
    told = f"{cell.page}: {cell.verdict}{known} (owner: {cell.owner or 'nobody'})"
    if not cell.results:
        yield told
        return
    yield f"{told}  {evidence / cell.page}.md"
    for layer, mode in cell.places:
        outcome = cell.outcome(layer, mode)
        if outcome is not Outcome.PASS:
            said = next((one.message for one in cell.at(layer, mode) if one.message), "")
            yield f"  {layer}, {mode}: {outcome}  {line(said, 160)}".rstrip()
