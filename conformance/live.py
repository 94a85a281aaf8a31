"""A run as it goes, in one line that moves, where pytest would print dots."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any, TypeAlias

import pytest
from rich.console import Console

from conformance.cell import Cell
from reports import Watch

#: Category, letter and word of a test's outcome, as pytest prints them.
Status: TypeAlias = tuple[str, str, Any]

_NAME = "conformance-live"


class Live:
    """Says what is asked and counts what came of it; pytest's own letters are left out."""

    def __init__(self, terminal: pytest.TerminalReporter, checks: int) -> None:
        # A way to the terminal of our own: while a check runs, pytest catches the usual one.
        self._file = os.fdopen(os.dup(terminal._tw._file.fileno()), "w")  # noqa: SLF001
        width = terminal._tw.fullwidth  # noqa: SLF001
        self._watch = Watch(Console(file=self._file, width=width), checks)
        terminal.showfspath = False
        terminal.write_line("")
        self._watch.__enter__()

    def say(self, what: str) -> None:
        """Tell of anything else that takes time."""
        self._watch.doing(what)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tell which check is asked, where."""
        parameters = getattr(item, "callspec", None)
        given = parameters.params if parameters else {}
        if isinstance(cell := given.get("ask"), Cell):
            self.say(f"{given['bench']}: {cell.check} {cell.layer} {cell.mode}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a check that has ended, which is once."""
        for result in getattr(report, "results", ())[:1]:
            self._watch.done(result.outcome, expected=hasattr(report, "wasxfail"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> Generator[None, Status, Status | None]:
        """Keep the category for the totals."""
        status = yield
        return (status[0], "", "") if report.when in {"setup", "call", "teardown"} else status

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Take the line away."""
        self._watch.__exit__(None, None, None)
        self._file.close()


def show_progress(config: pytest.Config, checks: int) -> None:
    """Begin the line, where somebody looks and wants neither more, nor less, nor a debugger."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    otherwise = config.option.verbose or config.option.usepdb or "CI" in os.environ
    if terminal and terminal.isatty() and not otherwise:
        config.pluginmanager.register(Live(terminal, checks), _NAME)


def live(config: pytest.Config) -> Live | None:
    """The line of this run, where there is one."""
    line: Live | None = config.pluginmanager.getplugin(_NAME)
    return line
