"""The command line: `python -m reports --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports import commands
from reports.errors import ReportError

BAD_INPUT = 2

_RUN = "journal.jsonl or report.json of a run"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status is 0 for green, 1 for a red gate, 2 for bad input."""
    asked = _parser().parse_args(arguments)
    try:
        status: int = asked.run(asked)
    except ReportError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return BAD_INPUT
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'The output'} can't be written: {error.strerror}.\n")
        sys.stderr.write("Make room, or name another place.\n")
        return BAD_INPUT
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports",
        description="Make something of what a run left behind.",
        epilog="Exit status: 0 green, 1 the gate is red, 2 bad input.",
    )
    found = parser.add_subparsers(required=True, metavar="COMMAND")

    one = found.add_parser("build", help="write report, table and evidence pages into a folder")
    one.add_argument("report", type=Path, help=_RUN)
    one.add_argument("--out", type=Path, default=Path("conformance-report"), help="the folder")
    one.set_defaults(run=commands.build)

    one = found.add_parser("gate", help="say whether a release may go out, and why not")
    one.add_argument("report", type=Path, help=_RUN)
    one.add_argument("--asked", action="append", help="a server that must have run (repeatable)")
    one.set_defaults(run=commands.gate)

    one = found.add_parser("merge", help="make one report of shards, in any order")
    one.add_argument("reports", type=Path, nargs="+", help=_RUN)
    one.add_argument("--out", type=Path, required=True, help="the report.json to write")
    one.set_defaults(run=commands.merge)

    one = found.add_parser("diff", help="tell what changed between two reports")
    one.add_argument("before", type=Path, help=_RUN)
    one.add_argument("after", type=Path, help=_RUN)
    one.add_argument("--as", dest="form", choices=list(commands.DIFF_FORMS), default="text")
    one.set_defaults(run=commands.diff)

    one = found.add_parser("history", help="tell how verdicts changed over many reports")
    one.add_argument("reports", type=Path, nargs="+", help=_RUN)
    one.set_defaults(run=commands.history)

    one = found.add_parser("readme", help="rewrite the table between the markers of a file")
    one.add_argument("report", type=Path, help=_RUN)
    one.add_argument("file", type=Path, help="a Markdown file with both markers")
    one.set_defaults(run=commands.readme)

    one = found.add_parser("show", help="print a report in the form that a tool reads")
    one.add_argument("report", type=Path, help=_RUN)
    one.add_argument("--as", dest="form", choices=list(commands.FORMS), required=True)
    one.set_defaults(run=commands.show)

    one = found.add_parser(
        "badges", help="write a badge for each server, as SVG and for shields.io"
    )
    one.add_argument("report", type=Path, help=_RUN)
    one.add_argument("--out", type=Path, required=True, help="the folder")
    one.set_defaults(run=commands.badges)

    one = found.add_parser("site", help="write the static site, which works from disk")
    one.add_argument("report", type=Path, help=_RUN)
    one.add_argument("--out", type=Path, default=Path("conformance-site"), help="the folder")
    one.add_argument("--before", type=Path, help="an older report, for the page of changes")
    one.add_argument("--history", type=Path, nargs="+", default=[], help="all older reports")
    one.set_defaults(run=commands.site)

    one = found.add_parser("publish", help="put runs into the repository, with the README's table")
    one.add_argument("reports", type=Path, nargs="+", help=f"{_RUN}; several are merged")
    one.add_argument("--out", type=Path, default=Path("reports/published"), help="the folder")
    one.add_argument("--readme", type=Path, default=Path("README.md"), help="the file to rewrite")
    one.set_defaults(run=commands.publish)

    one = found.add_parser("schema", help="print the JSON Schema of report.json")
    one.set_defaults(run=commands.schema)
    return parser


if __name__ == "__main__":
    sys.exit(main())
