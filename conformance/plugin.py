"""The pytest side: options in, checks multiplied by layer and mode, results and gate out.

Without --server it is silent but for one line at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from conformance.ask import Asker
from conformance.bench import Bench
from conformance.catalogue import catalogue
from conformance.judge import Cell, Trial
from conformance.options import CLEAR_ERRORS, add_options, read_options
from conformance.outcome import TargetLost
from conformance.run import Run
from reports import Gate, Outcome, Report, is_expected, summary_lines

_RUN = pytest.StashKey[Run]()
_TRIAL = pytest.StashKey[Trial]()
_COMPARED = pytest.StashKey[tuple[Any, Any]]()
_JUDGED = pytest.StashKey[tuple[Report, Gate]]()
#: How an outcome reads in pytest's own lines: category and letter.
_SHOWN = {
    Outcome.FAIL: ("failed", "F"),
    Outcome.INCONCLUSIVE: ("inconclusive", "?"),
    Outcome.UNSUPPORTED: ("unsupported", "u"),
    Outcome.ERROR: ("error", "E"),
}

HOW_TO_RUN = "These were the project's own tests. To run the gate: pytest --server=llamacpp"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the suite's options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options; with --server, and no path given, the checks are what runs."""
    config.addinivalue_line("markers", "check(id): the function is this check of the catalogue")
    if not config.getoption("--server"):
        return
    options = read_options(config)
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = ["conformance"]
    if not config.option.collectonly:
        config.stash[_RUN] = Run(options)


def pytest_ignore_collect(config: pytest.Config, collection_path: Any) -> bool | None:
    """Keep the checks out of a run that names no server."""
    inside = collection_path.name == "conformance" and collection_path.parent == config.rootpath
    return True if inside and not config.getoption("--server") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Multiply each check by the servers asked for and by the layers and modes of its row."""
    marker = metafunc.definition.get_closest_marker("check")
    if marker is None:
        return
    row = catalogue().get(marker.args[0])
    if row is None:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: no row for {marker.args[0]!r}")
    cells = [Cell(row.id, layer, mode) for layer in row.layers for mode in row.modes]
    servers = metafunc.config.getoption("--server")
    metafunc.parametrize("bench", dict.fromkeys(servers), indirect=True, scope="session")
    metafunc.parametrize(
        "ask", cells, indirect=True, ids=[f"{cell.layer}-{cell.mode}" for cell in cells]
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the plan down, once it is known what was selected."""
    if run := session.config.stash.get(_RUN, None):
        markers = (item.get_closest_marker("check") for item in session.items)
        run.plan(marker.args[0] for marker in markers if marker)


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The target, up and behind its tap."""
    config = request.config
    try:
        with config.stash[_RUN].bench(request.param, _progress(config)) as up:
            yield up
    except CLEAR_ERRORS as error:
        pytest.exit(f"{error.message}\n  hint: {error.hint}", pytest.ExitCode.USAGE_ERROR)


@pytest_asyncio.fixture
async def ask(request: pytest.FixtureRequest, bench: Bench) -> AsyncIterator[Asker]:
    """The asker of one layer and mode, and the beginning of what is recorded as evidence."""
    cell: Cell = request.param
    trial = request.node.stash[_TRIAL] = Trial(cell, bench, bench.moment())
    if lost := bench.lost():
        raise TargetLost(lost)
    async with bench.asker(cell.layer, cell.mode) as asker:
        trial.asker = asker
        yield asker


def pytest_assertrepr_compare(config: pytest.Config, left: object, right: object) -> None:
    """Keep both sides of a comparison that fails: checks write `assert seen == expected`."""
    config.stash[_COMPARED] = (left, right)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a check when its body, or what it stands on, has ended."""
    report = yield
    trial = item.stash.get(_TRIAL, None)
    compared = item.config.stash.get(_COMPARED, None)
    if trial is None or (call.when != "call" and call.excinfo is None):
        return report
    if compared:
        trial.seen, trial.expected = compared
        del item.config.stash[_COMPARED]
    result = trial.result(call.excinfo.value if call.excinfo else None, call.duration)
    item.config.stash[_RUN].record(result)
    report.user_properties.append(("outcome", result.outcome))
    if is_expected(result) and result.expectation:
        report.outcome, report.wasxfail = "skipped", result.expectation.reason
    elif result.outcome not in {Outcome.PASS, Outcome.ERROR}:
        report.longrepr = result.message
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show an outcome under its own name, wherever in the test it came about."""
    outcome = dict(report.user_properties).get("outcome") if report.failed else None
    if not isinstance(outcome, Outcome):
        return None
    category, letter = _SHOWN[outcome]
    return category, letter, category.upper()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the report; where pytest ended by itself the gate decides the exit status."""
    run = session.config.stash.get(_RUN, None)
    if run is None:
        return
    by_itself = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    incomplete = [] if by_itself else [f"pytest ended early, with exit status {int(exitstatus)}."]
    _, judged = session.config.stash[_JUDGED] = run.finish(incomplete)
    if by_itself:
        session.exitstatus = pytest.ExitCode.OK if judged.passed else pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the report holds and where it is; or how to run the gate."""
    if _JUDGED not in config.stash:
        terminalreporter.write_line(HOW_TO_RUN)
        return
    report, judged = config.stash[_JUDGED]
    if not report.results:
        return
    folder = config.stash[_RUN].folder
    terminalreporter.section("conformance")
    for line in summary_lines(report, judged, folder / "evidence"):
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"Report: {folder / 'report.md'}")


def _progress(config: pytest.Config) -> Any:
    capture = config.pluginmanager.getplugin("capturemanager")
    terminal = config.pluginmanager.getplugin("terminalreporter")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)

    return show
