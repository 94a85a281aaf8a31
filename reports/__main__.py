"""The command line: `python -m reports --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.build import build
from reports.canonical import load
from reports.errors import ReportError
from reports.escape import line
from reports.gate import gate
from reports.journal import read_journal
from reports.model import Report
from reports.schemas import schema_text

GREEN, RED, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status is 0 for green, 1 for a red gate, 2 for bad input."""
    asked = _parser().parse_args(arguments)
    try:
        status: int = asked.run(asked)
    except ReportError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return BAD_INPUT
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports",
        description="Make something of what a run left behind.",
        epilog="Exit status: 0 green, 1 the gate is red, 2 bad input.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("build", help="write the report of a run into a folder")
    command.add_argument("run_file", type=Path, help="journal.jsonl or report.json")
    command.add_argument("--out", type=Path, default=Path("conformance-report"), help="the folder")
    command.set_defaults(run=_build)

    command = commands.add_parser("gate", help="say whether a release may go out, and why not")
    command.add_argument("run_file", type=Path, help="journal.jsonl or report.json")
    command.add_argument("--asked", action="append", help="a server that must have run")
    command.set_defaults(run=_gate)

    command = commands.add_parser("schema", help="print the JSON Schema of report.json")
    command.set_defaults(run=_schema)
    return parser


def read(path: Path) -> Report:
    """A report from a journal or from a JSON document."""
    return read_journal(path) if path.suffix == ".jsonl" else load(path)


def _build(asked: argparse.Namespace) -> int:
    written = build(read(asked.run_file), asked.out)
    _say(f"{len(written)} files in {asked.out}")
    return GREEN


def _gate(asked: argparse.Namespace) -> int:
    judged = gate(read(asked.run_file), asked.asked)
    for reason in judged.reasons:
        _say(f"✘ {line(str(reason), 1000)}")
    for warning in judged.warnings:
        _say(f"! {line(str(warning), 1000)}")
    _say(str(judged))
    return GREEN if judged.passed else RED


def _schema(_: argparse.Namespace) -> int:
    _say(schema_text())
    return GREEN


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
