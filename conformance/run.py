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
from reports import Check, Gate, Journal, Layer, Report, Result, build, gate, read_journal

ROOT = Path(__file__).parent.parent


class Run:
    """The journal of a run and the folder it stands in."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._planned: set[str] = set()
        asked = list(options.specs)
        try:
            self.folder = run_folder(options.folder, asked)
            journal = self.folder / "journal.jsonl"
            self._journal = Journal.create(journal, suite_version=suite_version(), asked=asked)
        except OSError as error:
            raise pytest.UsageError(_cant_write(error)) from None

    def plan(self, checks: Iterable[str]) -> None:
        """Write down which checks are going to run; each once."""
        new = set(checks) - self._planned
        self._planned |= new
        self._journal.checks(self._narrowed(row) for id_, row in catalogue().items() if id_ in new)

    def _narrowed(self, row: Check) -> Check:
        """The row without the provider layer, where only the wire is asked.

        The wire stays where only the module is asked: without its word no failure has an owner.
        """
        if self.options.layer is not Layer.WIRE:
            return row
        return row.model_copy(update={"layers": (Layer.WIRE,)})

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
            self._journal.hide(bench.target.api_key)
            self._journal.target(bench.described())
            yield bench

    def record(self, *results: Result) -> None:
        """Write results down. The run ends here if that can't be done."""
        with _written():
            self.plan(result.check for result in results)
            for result in results:
                self._journal.result(result)

    def finish(self, incomplete: list[str]) -> tuple[Report, Gate]:
        """Close the journal, write the report beside it, and judge it."""
        with _written():
            self._journal.finish(incomplete)
            report = read_journal(self._journal.path)
            build(report, self.folder)
        return report, gate(report)


@contextmanager
def _written() -> Iterator[None]:
    """End the run in a sentence where something can't be written; what is written stays."""
    try:
        yield
    except OSError as error:
        pytest.exit(_cant_write(error), returncode=pytest.ExitCode.USAGE_ERROR)


def _cant_write(error: OSError) -> str:
    return (
        f"can't write {error.filename or 'the report'}: {error.strerror}\n"
        "  hint: make room, or choose another folder with --report-dir"
    )


def suite_version() -> str:
    """The version of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])
