"""Under pytest-xdist: one process starts the servers and writes the report, the others ask."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from conformance.options import Options
from conformance.run import Run
from reports import Check, Layer, Result
from servers import Progress, ServersError, Target
from servers.sharing import from_json, to_json
from servers.spec import AttachedSpec

_FOLDER = "conformance-targets"
_CHECKS = "conformance-checks"
_PAUSE = 0.05
#: The target in a test's id: `test_plain[llamacpp-wire-whole]`, and `-2` of the second attempt.
_TARGET = re.compile(r"\[(.+)-(?:wire|provider)-(?:whole|stream)(?:-\d+)?\]$")


class _ByCheck(LoadScopeScheduling):
    """Both modes of a check go to one worker, which compares them; targets keep their order."""

    def _split_scope(self, nodeid: str) -> str:
        return f"{nodeid.rpartition('[')[0]} {_target_of(nodeid)}"


class Conductor:
    """In the process that runs no test: shares its servers, and ends each after its last test."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
        self._left: Counter[str] = Counter()
        run.announce = self._announce

    def _announce(self, server: str, target: Target | ServersError) -> None:
        """Tell the workers; where that can't be done, the folder goes, for which they look too."""
        try:
            if isinstance(target, Target):
                self._write(f"{server}.json", to_json(target))
            else:
                self._write(f"{server}.failed", f"{target.message}\n{target.hint}")
        except OSError:
            self._folder.cleanup()
            raise

    def _write(self, name: str, text: str) -> None:
        beside = Path(self._folder.name) / f".{name}"
        beside.write_text(text)
        beside.replace(beside.with_name(name))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LoadScopeScheduling:
        """Hand out checks in the order of their targets."""
        config.option.loadscopereorder = False
        return _ByCheck(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the targets are announced."""
        node.workerinput[_FOLDER] = self._folder.name
        self._run.start()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Count what each target will be asked; every worker says the same.

        One that takes a dead worker's place says it again, when some of it is done.
        """
        self._left = self._left or Counter(filter(None, map(_target_of, ids)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Let a server go when all its tests have ended; that of a dead worker is asked again."""
        target = _target_of(report.nodeid)
        if target and report.when == "teardown":
            self._left[target] -= 1
            if not self._left[target]:
                self._run.leave(target)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Take over the worker's plan, and note its death. It can't live without the module."""
        if error and not self._left:
            self._ensure_module()
        self._run.plan(getattr(node, "workeroutput", {}).get(_CHECKS, ()))
        if error:
            self._run.lacks(f"The worker {node.gateway.id} died: {error}")

    def _ensure_module(self) -> None:
        """End the run here where the module can't be loaded, which the workers alone tried."""
        try:
            self._run.options.module.load()
        except ServersError as error:
            said = f"{error.message}\n  hint: {error.hint}"
            pytest.exit(said, returncode=pytest.ExitCode.USAGE_ERROR)

    def pytest_unconfigure(self) -> None:
        """Take the announcements away."""
        self._folder.cleanup()


class Worker:
    """In a process that runs tests: the servers of the process that started it."""

    def __init__(self, config: Any, options: Options) -> None:
        self._config = config
        self._folder = Path(config.workerinput[_FOLDER])
        self._specs = options.specs
        self._conductor = os.getppid()

    def plan(self, checks: Sequence[str]) -> None:
        """Tell at the end which checks this run has."""
        self._config.workeroutput[_CHECKS] = sorted(set(checks))

    def target(self, server: str, _: Progress) -> Target:
        """The target, once it was announced; `ServersError` if it can't be had."""
        up, failed = (self._folder / f"{server}.{end}" for end in ("json", "failed"))
        while not up.exists():
            if failed.exists():
                raise ServersError(*failed.read_text().rsplit("\n", 1))
            if not self._folder.exists() or os.getppid() != self._conductor:
                raise ServersError(f"nobody is left to start {server}", "run pytest again")
            time.sleep(_PAUSE)
        spec = self._specs[server]
        key = spec.at.api_key if isinstance(spec, AttachedSpec) else None
        return from_json(up.read_text(), key)

    def leave(self, _: str) -> None:
        """Others may still ask it."""


class Couriers:
    """Carries results from the process that judged them to the one that writes them down."""

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> Generator[None, dict[str, Any], dict[str, Any]]:
        """Pack the results as JSON."""
        results = report.__dict__.pop("results", ())
        data = yield
        data["results"] = [one.model_dump_json() for one in results]
        return data

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(
        self, data: dict[str, Any]
    ) -> Generator[None, Any, pytest.TestReport | pytest.CollectReport]:
        """Unpack them."""
        results = [Result.model_validate_json(one) for one in data.pop("results", ())]
        report: pytest.TestReport | pytest.CollectReport = yield
        report.__dict__["results"] = results
        return report


def mixed(checks: Iterable[Check]) -> dict[str, float]:
    """When each check is handed out, from 0 to 1: the server is to have work all the time.

    Those of the module alone, most of which ask stand-ins and wait, are spread among the others.
    """
    groups: dict[bool, list[Check]] = {True: [], False: []}
    for row in checks:
        groups[Layer.WIRE in row.layers].append(row)
    return {row.id: n / len(rows) for rows in groups.values() for n, row in enumerate(rows)}


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one."""
    return hasattr(config, "workerinput")


def is_conductor(config: pytest.Config) -> bool:
    """Whether this process lets others run its tests. `pytest.UsageError` if out of order.

    Servers come up one after another; a worker that waits for the last one must not hold back
    tests of the first.
    """
    how = getattr(config.option, "dist", "no")
    if how not in {"no", "load"}:
        raise pytest.UsageError(
            f"--dist {how} would ask the servers out of order\n  hint: leave it out, or: -n 3"
        )
    return how == "load"


def _target_of(nodeid: str) -> str | None:
    found = _TARGET.search(nodeid)
    return found[1] if found else None
