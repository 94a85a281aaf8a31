"""python -m tests.mutants: prints which check notices which fault."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.catalogue import catalogue
from reports import dumps
from reports.atomic import write_whole
from tests.llamacpp import llamacpp
from tests.mutants.matrix import Trial, as_report, totals, trials


def main() -> int:
    """Exit status 0 where every check notices its faults and passes without them."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("checks", nargs="*", default=list(catalogue()), help="ids (default: all)")
    parser.add_argument("--out", type=Path, help="also write it as a report, to be merged")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.checks) - set(catalogue())):
        parser.error(f"no such check: {', '.join(unknown)}; `pytest --list-checks` lists them")
    tried = asyncio.run(_tried(asked.checks))
    sys.stdout.writelines(f"{line}\n" for line in totals(tried))
    if asked.out:
        write_whole(asked.out, dumps(as_report(tried)))
    return 0 if all(trial.right for trial in tried) else 1


async def _tried(checks: Sequence[str]) -> list[Trial]:
    tried: list[Trial] = []
    with TemporaryDirectory() as folder, llamacpp(Path(folder)) as target:
        async for trial in trials(target, checks):
            if not tried or tried[-1].mutant.check != trial.mutant.check:
                sys.stdout.write(f"{trial.mutant.check}\n")
            sys.stdout.write(f"{trial}\n")
            tried.append(trial)
    return tried


if __name__ == "__main__":
    sys.exit(main())
