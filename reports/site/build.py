"""Writes the pages of the site, one after another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.atomic import write_whole
from reports.build import JSON
from reports.canonical import dumps
from reports.cells import Cell, rows
from reports.counts import PLACES, outcomes, ran
from reports.curl import curl_on_page
from reports.diff import Diff, diff
from reports.difference import difference
from reports.gate import WARNINGS, gate
from reports.groups import chapters, groups
from reports.history import History
from reports.marks import MEANING, OUTCOME, VERDICT, mark
from reports.model import Check, Report
from reports.site.shown import Page, safe_link
from reports.transcript import pieces, request, response_head
from reports.words import Layer, Level, Mode, Outcome, Verdict

ASSETS = Path(__file__).parent / "assets"
WORDS = {
    "Layer": Layer,
    "Level": Level,
    "Mode": Mode,
    "Outcome": Outcome,
    "Verdict": Verdict,
    "PLACES": PLACES,
    "MEANING": MEANING,
    "OUTCOME_SIGN": OUTCOME,
    "VERDICT_SIGN": VERDICT,
    "WARNINGS": WARNINGS,
}


@dataclass(frozen=True)
class Site:
    """What the pages are made from."""

    report: Report
    before: Report | None = None
    history: History = field(default_factory=History)

    @cached_property
    def table(self) -> list[tuple[Check, list[Cell]]]:
        """Each check with its cells."""
        return rows(self.report)

    @cached_property
    def changes(self) -> Diff | None:
        """What is new against the report before."""
        return diff(self.before, self.report) if self.before else None

    def column(self, target: str) -> list[Cell]:
        """The cells of one target."""
        return [cell for _, row in self.table for cell in row if cell.target.id == target]


def build_site(site: Site, folder: Path) -> list[Path]:
    """Write all pages, assets and the report itself; each page is a pure function of `site`."""
    written = []
    for name, text in _files(site):
        write_whole(folder / name, text)
        written.append(folder / name)
    return written


def chapter_page(chapter: str) -> str:
    """The page of a chapter, below the site's folder."""
    return f"chapters/{re.sub('[^a-z0-9]+', '-', chapter.lower()).strip('-') or 'other'}.html"


def _files(site: Site) -> Iterator[tuple[str, str]]:
    yield JSON, dumps(site.report)
    for asset in sorted(ASSETS.iterdir()):
        yield f"assets/{asset.name}", asset.read_text(encoding="utf-8")
    environment = _environment(site)
    for name, template, facts in _pages(site):
        yield name, _render(environment, name, template, facts)


def _pages(site: Site) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Name, template and own facts of every page."""
    yield "index.html", "index", {"groups": groups(site.report), "gate": gate(site.report)}
    yield "checks.html", "checks", {}
    yield "trust.html", "trust", {"flips": list(_flips(site.history))}
    if site.changes:
        yield "diff.html", "diff", {"diff": site.changes}
    for chapter in chapters(site.report):
        own = [(check, row) for check, row in site.table if check.chapter == chapter]
        yield chapter_page(chapter), "chapter", {"chapter": chapter, "own": own}
    for target in site.report.targets:
        yield f"servers/{target.id}.html", "server", {"target": target}
    for target in site.report.targets:
        yield from _cell_pages(site, site.column(target.id))


def _cell_pages(site: Site, column: list[Cell]) -> Iterator[tuple[str, str, dict[str, object]]]:
    for number, cell in enumerate(column):
        around = {
            "previous": column[number - 1] if number else None,
            "next": column[number + 1] if number + 1 < len(column) else None,
        }
        spans = site.history.spans(cell.target.id, cell.check.id)
        yield f"cells/{cell.page}.html", "cell", {"cell": cell, "spans": spans, **around}


def _flips(history: History) -> Iterator[tuple[str, str, int]]:
    for target, check in history.keys:
        if flips := history.flips(target, check):
            yield target, check, flips


def _environment(site: Site) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= WORDS | {
        "site": site,
        "report": site.report,
        "chapters": chapters(site.report),
        "chapter_page": chapter_page,
        "counted": outcomes,
        "ran": ran,
        "mark": mark,
        "curl": curl_on_page,
        "request": request,
        "response_head": response_head,
        "pieces": pieces,
        "difference": difference,
    }
    environment.filters["safe_link"] = safe_link
    environment.tests["everywhere"] = _works_everywhere
    return environment


def _works_everywhere(row: list[Cell]) -> bool:
    return all(cell.verdict is Verdict.WORKS for cell in row)


def _render(environment: Environment, name: str, template: str, facts: dict[str, object]) -> str:
    page, numbers = Page(), count(1)
    own = {
        "root": "../" * name.count("/"),
        "page_name": name,
        "show": page.show,
        "prose": page.prose,
        "full": page.full,
        "new_id": lambda: f"n{next(numbers)}",
    }
    return environment.get_template(f"{template}.html").render(own | facts)
