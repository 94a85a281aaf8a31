"""One run of the gate as pytest goes through it: targets come up, results go down in writing."""

from __future__ import annotations

import threading
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from conformance.bench import described
from conformance.catalogue import catalogue
from conformance.folder import run_folder
from conformance.options import Options
from reports import Absent, Check, Gate, Journal, Layer, Report, Result, build, gate
from servers import ModelPaths, Progress, ServersError, Target, launch
from servers.fleet import Fleet

ROOT = Path(__file__).parent.parent
#: Told of each target that came up, or why it didn't.
Announce = Callable[[str, Target | ServersError], None]


class Run:
    """The journal of a run, the folder it stands in, and the servers that were asked for."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.failures: dict[str, ServersError] = {}
        self.announce: Announce = _tell_nobody
        self._planned: set[str] = set()
        self._incomplete: list[str] = []
        self._lock = threading.Lock()
        self._fleet = Fleet(options.specs, self._launch)
        asked = list(options.specs)
        try:
            self.folder = run_folder(options.folder, asked)
            journal = self.folder / "journal.jsonl"
            self._journal = Journal.create(journal, suite_version=suite_version(), asked=asked)
            self._journal.hide(*options.secrets)
        except OSError as error:
            raise pytest.UsageError(_cant_write(error)) from None

    def plan(self, checks: Iterable[str]) -> None:
        """Write down which checks are going to run; each once."""
        new = set(checks) - self._planned
        self._planned |= new
        with _written(), self._lock:
            rows = (row for id_, row in catalogue().items() if id_ in new)
            self._journal.checks(map(self._narrowed, rows))

    def _narrowed(self, row: Check) -> Check:
        """The row without the provider layer, where only the wire is asked.

        The wire stays where only the module is asked: without its word no failure has an owner.
        """
        if self.options.layer is not Layer.WIRE:
            return row
        return row.model_copy(update={"layers": (Layer.WIRE,)})

    def start(self) -> None:
        """Start as many servers as memory allows, in the background."""
        self._fleet.start()

    def target(self, server: str, progress: Progress) -> Target:
        """The target `server`, once it is up. Raises what `servers.launch` raises."""
        return self._fleet.target(server, progress)

    def leave(self, server: str) -> None:
        """Its last check is done."""
        self._fleet.end(server)

    @contextmanager
    def _launch(self, server: str, progress: Progress) -> Iterator[Target]:
        model, log = self.options.model, self.folder / "logs" / f"{server}.log"
        paths = ModelPaths(model.name, model.gguf, model.safetensors, model.digest)
        spec, port, up = self.options.specs[server], self.options.port, False
        try:
            with launch(spec, model=paths, log=log, port=port, progress=progress) as target:
                self._came_up(server, target)
                up = True
                yield target
        except Exception as error:
            if up:
                raise
            told = error if isinstance(error, ServersError) else _unforeseen(spec.title, error, log)
            self._stayed_away(server, told)
            raise told from None

    def _came_up(self, server: str, target: Target) -> None:
        options = self.options
        spec, module = options.specs[server], options.module
        about = described(
            server,
            spec,
            target,
            module=module,
            protocol=options.protocol,
            model=options.model,
            faults=options.faults,
        )
        with self._lock:
            self._journal.target(about)
        self.announce(server, target)

    def _stayed_away(self, server: str, error: ServersError) -> None:
        """Tell those that wait first: the journal may be what can't be written."""
        title = self.options.specs[server].title
        self.failures[server] = error
        self.announce(server, error)
        with self._lock:
            self._journal.absent(Absent(server=server, title=title, reason=error.message))

    def lacks(self, what: str) -> None:
        """Note what this run had to leave out."""
        self._incomplete.append(what)

    def record(self, *results: Result) -> None:
        """Write results down. The run ends here if that can't be done."""
        with _written():
            self.plan(result.check for result in results)
            with self._lock:
                for result in results:
                    self._journal.result(result)

    def finish(self) -> tuple[Report, Gate]:
        """End what still runs, close the journal, write the report beside it, and judge it."""
        self._fleet.close()
        with _written():
            self._journal.finish(self._incomplete)
            report = self._journal.report()
            build(report, self.folder)
        return report, gate(report)


def _tell_nobody(server: str, target: Target | ServersError) -> None:
    """Nobody shares the servers of this run."""


def _unforeseen(title: str, error: Exception, log: Path) -> ServersError:
    """Any error of a start as one that is told; its traceback goes into the server's log."""
    with suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            traceback.print_exception(error, file=stream)
    return ServersError(
        f"{title} could not be started: {type(error).__name__}: {error}", f"see {log}"
    )


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
