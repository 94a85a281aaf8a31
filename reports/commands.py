"""What each command of `python -m reports` does; each returns its exit status."""

import sys
from argparse import Namespace
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from reports import badge
from reports import build as write_report
from reports import gate as judge
from reports.atomic import write_whole
from reports.canonical import dumps, load
from reports.diff import Diff, as_markdown, as_text
from reports.diff import diff as compare
from reports.escape import line
from reports.github import annotations, step_summary
from reports.har import har
from reports.history import as_text as told
from reports.history import history as follow
from reports.journal import read_journal
from reports.junit import junit
from reports.merge import merge as join
from reports.model import Report
from reports.publish import publish as put_up
from reports.readme import rewrite, table
from reports.sarif import sarif
from reports.schemas import schema_text
from reports.site import Site, build_site

GREEN, RED = 0, 1
DIFF_FORMS: dict[str, Callable[[Diff], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": lambda found: found.model_dump_json(indent=1),
}
FORMS: dict[str, Callable[[Report], str]] = {
    "table": table,
    "junit": junit,
    "sarif": sarif,
    "har": har,
    "github-annotations": lambda report: "\n".join(annotations(judge(report))),
    "github-summary": lambda report: step_summary(report, judge(report)),
}


def read(path: Path) -> Report:
    """A report from a journal or from a JSON document."""
    return read_journal(path) if path.suffix == ".jsonl" else load(path)


def build(asked: Namespace) -> int:
    """Write the folder that a run ends with."""
    written = write_report(read(asked.report), asked.out)
    _say(f"{len(written)} files in {asked.out}")
    return GREEN


def gate(asked: Namespace) -> int:
    """Say each reason and warning, then the judgement."""
    judged = judge(read(asked.report), asked.asked)
    for reason in judged.reasons:
        _say(f"✘ {line(str(reason), 1000)}")
    for warning in judged.warnings:
        _say(f"! {line(str(warning), 1000)}")
    _say(str(judged))
    return GREEN if judged.passed else RED


def merge(asked: Namespace) -> int:
    """Write one report of several, read one after another."""
    merged = join(read(path) for path in asked.reports)
    write_whole(asked.out, dumps(merged))
    _say(f"{len(merged.results)} results of {len(merged.targets)} targets in {asked.out}")
    return GREEN


def diff(asked: Namespace) -> int:
    """Say what changed, in the form that was asked for."""
    _say(DIFF_FORMS[asked.form](compare(read(asked.before), read(asked.after))))
    return GREEN


def history(asked: Namespace) -> int:
    """Say which verdicts changed over many runs."""
    _say(told(follow(read(path) for path in asked.reports)))
    return GREEN


def readme(asked: Namespace) -> int:
    """Rewrite the table of a file."""
    rewrite(asked.file, read(asked.report))
    _say(f"The table in {asked.file} is new.")
    return GREEN


def show(asked: Namespace) -> int:
    """Print the report in one of the forms that tools read."""
    _say(FORMS[asked.form](read(asked.report)))
    return GREEN


def badges(asked: Namespace) -> int:
    """Write two files for each target."""
    report = read(asked.report)
    for target in report.targets:
        write_whole(asked.out / f"{target.id}.svg", badge.svg(report, target))
        write_whole(asked.out / f"{target.id}.json", badge.endpoint(report, target))
    _say(f"{2 * len(report.targets)} files in {asked.out}")
    return GREEN


def site(asked: Namespace) -> int:
    """Write the site."""
    report = read(asked.report)
    before = read(asked.before) if asked.before else None
    past = follow(chain((read(path) for path in asked.history), [report]))
    written = build_site(Site(report, before, past), asked.out)
    _say(f"{len(written)} files; open {asked.out / 'index.html'}")
    return GREEN


def publish(asked: Namespace) -> int:
    """Write the published run and the README's table."""
    published = put_up(join(map(read, asked.reports)), asked.out, asked.readme)
    ran = ", ".join(f"{target.title} {target.release}" for target in published.targets)
    _say(line(f"{asked.out} and {asked.readme} show {ran}", 1000))
    return GREEN


def schema(_: Namespace) -> int:
    """Print the schema of the report."""
    _say(schema_text())
    return GREEN


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
