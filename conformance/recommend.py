"""Which setting of the module works best with a server, from a run with each of them."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from conformance.entries import round_trip
from conformance.selection import selection
from reports import Cell, Layer, Outcome, cells, load
from reports.atomic import write_whole
from servers import load_server
from servers.catalog import FOLDER
from servers.spec import Tried

USAGE = """\
python -m conformance.recommend chat responses auto

where these are the folders of three runs:

pytest --server=llamacpp --layer=provider --protocol=chat --report-dir=chat
pytest --server=llamacpp --layer=provider --protocol=responses --report-dir=responses
pytest --server=llamacpp --layer=provider --protocol=auto --report-dir=auto
"""
#: What a user meets, and the checks that tell of it.
ASPECTS = {
    "first turn": "text.* or messages.* or limits.* or structure.* or usage.*",
    "tools": "tools.* and not (tools.result* or tools.chain)",
    "after a call": "tools.result* or tools.chain or history.* or session.*",
    "thoughts": "reasoning.* or events.thought-block",
}
#: The setting, by what a report says was spoken; of two as good, the earlier one.
SETTINGS: dict[str, bool | str] = {"chat completions": False, "auto": "auto", "responses": True}


def tried(found: Sequence[Cell]) -> Tried:
    """What a run tells of one target, all of whose cells are given."""
    target = found[0].target
    return Tried(
        use_responses_api=SETTINGS[target.protocol],
        seen_on=target.release,
        passed={aspect: _share(found, chosen) for aspect, chosen in ASPECTS.items()},
    )


def _share(found: Iterable[Cell], expression: str) -> str:
    chosen = selection(expression)
    asked = [
        outcome
        for cell in found
        if chosen(cell.check)
        for mode in cell.check.modes
        if (outcome := cell.outcome(Layer.PROVIDER, mode)) and outcome is not Outcome.NOT_RUN
    ]
    return f"{asked.count(Outcome.PASS)}/{len(asked)}"


def best(rows: Iterable[Tried]) -> Tried:
    """The setting with which most passes; of equal ones the one that asks the server least."""
    order = list(SETTINGS.values())
    return max(rows, key=lambda row: (row.passes, -order.index(row.use_responses_api)))


def with_evidence(text: str, rows: Iterable[Tried]) -> str:
    """A server's file whose recipe tells what was tried."""
    yaml = round_trip()
    data = yaml.load(text)
    data["recipe"].pop("tried", None)
    # Before the notes: what stands behind the recipe is kept with its last key.
    data["recipe"].insert(2, "tried", [_row(row) for row in rows])
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _row(row: Tried) -> CommentedMap:
    shown = CommentedMap(row.model_dump())
    shown["passed"] = CommentedMap(row.passed)
    shown["passed"].fa.set_flow_style()
    return shown


def main() -> int:
    """Print what was tried and write it down; 1 where a recipe says another setting."""
    parser = argparse.ArgumentParser(prog="python -m conformance.recommend", usage=USAGE)
    parser.add_argument("runs", type=Path, nargs="+")
    rows: dict[str, list[Tried]] = defaultdict(list)
    for run in parser.parse_args().runs:
        report = load(run / "report.json")
        if report.incomplete:
            parser.error(f"the run in {run} is not whole: {report.incomplete[0]}")
        for target in report.targets:
            own = [cell for cell in cells(report) if cell.target.id == target.id]
            row = tried(own)
            if row.use_responses_api in [one.use_responses_api for one in rows[target.server]]:
                parser.error(f"{target.title} was asked with {target.protocol} twice: name one run")
            rows[target.server].append(row)
    return max(_write(server, own) for server, own in rows.items())


def _write(server: str, rows: list[Tried]) -> int:
    for row in rows:
        shares = ", ".join(f"{aspect} {share}" for aspect, share in row.passed.items())
        _say(f"{server} {row.seen_on}, use_responses_api: {row.use_responses_api}: {shares}")
    file = FOLDER / f"{server}.yaml"
    write_whole(file, with_evidence(file.read_text(), rows))
    setting = f"use_responses_api: {str(best(rows).use_responses_api).lower()}"
    agrees = setting in load_server(server).recipe.settings
    _say(f"{server}: {setting} is best; the recipe {'says so' if agrees else 'says otherwise'}")
    return 0 if agrees else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
