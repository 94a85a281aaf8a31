"""One run of the gate as pytest goes through it: targets come up, results go down in writing."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.bench import Bench, set_up
from conformance.catalogue import catalogue
from conformance.folder import run_folder
from conformance.options import Options
from reports import Gate, Journal, Report, Result, build, gate, read_journal

ROOT = Path(__file__).parent.parent


class Run:
    """The journal of a run and the folder it stands in."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._planned: set[str] = set()
        self.folder = run_folder(options.folder, list(options.specs))
        self._journal = Journal.create(
            self.folder / "journal.jsonl", suite_version=suite_version(), asked=list(options.specs)
        )

    def plan(self, checks: Iterable[str]) -> None:
        """Write down which checks are going to run; each once."""
        new = set(checks) - self._planned
        self._planned |= new
        self._journal.checks(row for id_, row in catalogue().items() if id_ in new)

    @contextmanager
    def bench(self, server: str, progress: Callable[[str], None]) -> Iterator[Bench]:
        """The target `server`, up and behind its tap. Raises what `servers.launch` raises."""
        options = self.options
        with set_up(
            server,
            options.specs[server],
            module=options.module,
            protocol=options.protocol,
            model=options.model,
            log=self.folder / "logs" / f"{server}.log",
            port=options.port,
            faults=options.faults,
            progress=progress,
        ) as bench:
            self._journal.target(bench.described())
            yield bench

    def record(self, *results: Result) -> None:
        """Write results down. The run ends here if that can't be done."""
        try:
            self.plan(result.check for result in results)
            for result in results:
                self._journal.result(result)
        except OSError as error:
            pytest.exit(
                f"can't write to {self._journal.path}: {error.strerror}\n"
                "  hint: make room, or choose another folder with --report-dir",
                returncode=pytest.ExitCode.USAGE_ERROR,
            )

    def finish(self, incomplete: list[str]) -> tuple[Report, Gate]:
        """Close the journal, write the report beside it, and judge it."""
        self._journal.finish(incomplete)
        report = read_journal(self._journal.path)
        build(report, self.folder)
        return report, gate(report)


def suite_version() -> str:
    """The version of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])
