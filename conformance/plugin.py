"""The pytest side: options in, checks multiplied by layer and mode, results and gate out.

Without --server it is silent but for one line at the end.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Container, Generator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from conformance.ask import Asker
from conformance.bench import Bench, on_bench
from conformance.cell import Cell
from conformance.compared import sides
from conformance.hidden import hide_keys
from conformance.judge import Trial
from conformance.listing import explained, listed
from conformance.live import live, show_progress
from conformance.options import (
    CLEAR_ERRORS,
    Options,
    add_options,
    chosen_checks,
    is_gate,
    known_check,
    load_module,
    read_options,
    repetitions,
    target_ids,
)
from conformance.outcome import TargetLost
from conformance.parallel import Conductor, Couriers, Worker, is_conductor, is_worker, mixed
from conformance.run import Run
from reports import (
    Check,
    Gate,
    Outcome,
    Report,
    Result,
    is_expected,
    last_run,
    summary_lines,
    table_lines,
)
from servers.catalog import FOLDER

_OPTIONS = pytest.StashKey[Options]()
_RUN = pytest.StashKey[Run]()
#: Who has the servers: the run itself, or the one that started this process.
_SERVERS = pytest.StashKey[Run | Worker]()
_CHOSEN = pytest.StashKey[dict[str, Check]]()
_TRIAL = pytest.StashKey[Trial]()
#: The comparison that failed: operator, left side, right side.
_COMPARED = pytest.StashKey[tuple[str, object, object]]()
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
    chosen = chosen_checks(config)
    if config.getoption("--list-checks") or not is_gate(config):
        return
    config.stash[_CHOSEN] = {row.id: row for row in chosen}
    options = config.stash[_OPTIONS] = read_options(config)
    config.option.code_highlight = "no"  # pytest would colour messages, which the report keeps
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "short"  # a failed check is told by what was seen, not by its code
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = ["conformance"]
    if not (shared := is_conductor(config)):  # who only conducts does without
        load_module(options.module)
    if is_worker(config):
        config.stash[_SERVERS] = Worker(config, options)
    elif not config.option.collectonly:
        run = config.stash[_RUN] = config.stash[_SERVERS] = Run(options)
        config.pluginmanager.register(_Recorder(run))
        if shared:
            config.pluginmanager.register(Conductor(run))
    config.pluginmanager.register(Couriers())


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer --list-checks and --explain, which run nothing."""
    if config.getoption("--list-checks"):
        lines = listed(chosen_checks(config))
    elif wanted := config.getoption("--explain"):
        lines = explained(known_check(wanted))
    else:
        return None
    for line in lines:
        print(line)  # noqa: T201
    return pytest.ExitCode.OK


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is under test."""
    run = config.stash.get(_RUN, None)
    if run is None:
        return None
    return f"conformance: {run.options.module}, report in {run.folder}"


def pytest_ignore_collect(config: pytest.Config, collection_path: Any) -> bool | None:
    """Keep the checks out of a run that names no server."""
    inside = collection_path.name == "conformance" and collection_path.parent == config.rootpath
    return True if inside and not is_gate(config) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Multiply each check by the servers asked for and by the layers and modes of its row."""
    marker = metafunc.definition.get_closest_marker("check")
    if marker is None:
        return
    row = known_check(marker.args[0])
    only = metafunc.config.getoption("--layer")
    layers = [layer for layer in row.layers if only in {None, layer}]
    attempts = range(1, repetitions(metafunc.config) + 1)
    cells = [
        Cell(row.id, layer, mode, attempt)
        for layer in layers
        for mode in row.modes
        for attempt in attempts
    ]
    targets = target_ids(metafunc.config)
    metafunc.parametrize("bench", targets, indirect=True, scope="session")
    metafunc.parametrize("ask", cells, indirect=True, ids=map(str, cells))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the checks that were chosen, all of one server together, the quick servers first."""
    chosen = config.stash.get(_CHOSEN, None)
    if chosen is None:
        return
    out = [item for item in items if not _is_chosen(item, chosen)]
    place = {name: number for number, name in enumerate(config.stash[_OPTIONS].specs)}
    turn = mixed(chosen.values()) if is_worker(config) else {}
    items[:] = sorted(
        (item for item in items if _is_chosen(item, chosen)),
        key=lambda item: (place.get(_target_of(item), -1), turn.get(_check_of(item), 0.0)),
    )
    config.hook.pytest_deselected(items=out)


def _target_of(item: pytest.Item) -> str:
    """The target that a check is asked of; nothing for any other test."""
    called = getattr(item, "callspec", None)
    return str(called.params.get("bench", "")) if called else ""


def _check_of(item: pytest.Item) -> str:
    """The check that an item is of; nothing for any other test."""
    marker = item.get_closest_marker("check")
    return marker.args[0] if marker else ""


def _is_chosen(item: pytest.Item, chosen: Container[str]) -> bool:
    check = _check_of(item)
    return not check or check in chosen


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the plan down, once it is known what was selected."""
    if run := session.config.stash.get(_SERVERS, None):
        run.plan([check for item in session.items if (check := _check_of(item))])
        show_progress(session.config, len(session.items))


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The target, up and behind its tap; the gate says no for one that can't be had."""
    servers, options = request.config.stash[_SERVERS], request.config.stash[_OPTIONS]
    name = request.param
    try:
        target = servers.target(name, _progress(request.config))
    except CLEAR_ERRORS as error:
        pytest.skip(error.message)
    with on_bench(
        name,
        options.specs[name],
        target,
        module=options.module,
        protocol=options.protocol,
        model=options.model,
        faults=options.faults,
    ) as up:
        yield up
    servers.leave(name)


@pytest_asyncio.fixture
async def ask(request: pytest.FixtureRequest, bench: Bench) -> AsyncIterator[Asker]:
    """The asker of one layer and mode, and the beginning of what is recorded as evidence."""
    cell: Cell = request.param
    trial = request.node.stash[_TRIAL] = Trial(cell, bench, bench.moment())
    if lost := bench.still_lost():
        raise TargetLost(lost)
    async with bench.asker(cell.layer, cell.mode) as asker:
        trial.asker = asker
        yield asker


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> None:
    """Keep both sides of a comparison that fails: checks write `assert seen == expected`."""
    config.stash[_COMPARED] = (op, left, right)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a check when its body, or what it stands on, has ended."""
    trial = item.stash.get(_TRIAL, None)
    if trial is None:
        return (yield)
    results = _judged(item, trial, call) if call.when == "call" or call.excinfo else []
    if call.excinfo and results[0].outcome is not Outcome.ERROR:
        # What was seen tells a failed check; to show its code pytest would parse all sources.
        item.repr_failure = lambda excinfo, style=None: results[0].message  # type: ignore[method-assign]  # noqa: ARG005
    report = yield
    if results:
        _show(report, results)
    hide_keys(report, [trial.bench.target.api_key, *item.config.stash[_OPTIONS].secrets])
    return report


def _judged(item: pytest.Item, trial: Trial, call: pytest.CallInfo[None]) -> list[Result]:
    """The check's own result, and then those of the invariants."""
    if compared := item.config.stash.get(_COMPARED, None):
        trial.seen, trial.expected = sides(*compared)
        del item.config.stash[_COMPARED]
    return list(trial.results(call.excinfo.value if call.excinfo else None, call.duration))


def _show(report: pytest.TestReport, results: list[Result]) -> None:
    """Put the results into the report, and how pytest shows the check's own."""
    report.__dict__["results"], result = results, results[0]
    if is_expected(result) and result.expectation:
        report.outcome, report.wasxfail = "skipped", result.expectation.reason
    elif result.outcome not in {Outcome.PASS, Outcome.ERROR}:
        report.longrepr = result.message


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, str] | None:
    """Show an outcome under its own name, wherever in the test it came about."""
    if not isinstance(report, pytest.TestReport) or not report.failed:
        return None
    results: list[Result] = getattr(report, "results", [])
    if not results:
        return None
    category, letter = _SHOWN[results[0].outcome]
    return category, letter, category.upper()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the report; where pytest ended by itself the gate decides the exit status."""
    if is_gate(session.config):
        gc.freeze()  # pytest is going to look for leaks in all that is held, half a dozen times
    run = session.config.stash.get(_RUN, None)
    if run is None:
        return
    stopped = session.shouldfail or session.shouldstop  # -x, --maxfail
    by_itself = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} and not stopped
    if not by_itself:
        run.lacks(f"pytest ended early, with exit status {int(exitstatus)}.")
    report, judged = session.config.stash[_JUDGED] = run.finish()
    if by_itself:
        session.exitstatus = pytest.ExitCode.OK if judged.passed else pytest.ExitCode.TESTS_FAILED
    if run.failures and not report.targets:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the report holds and where it is."""
    report, judged = config.stash.get(_JUDGED, (None, None))
    if report is None or judged is None:
        return
    run = config.stash[_RUN]
    terminalreporter.section("conformance")
    for error in run.failures.values():
        terminalreporter.write_line(f"{error.message}\n  hint: {error.hint}")
    if not report.results:
        return
    for line in table_lines(report, width=terminalreporter._tw.fullwidth):  # noqa: SLF001
        terminalreporter.write_line(line)
    before = last_run(run.folder, report)
    for line in summary_lines(report, judged, run.folder / "evidence", before):
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"Report: {run.folder / 'report.md'}")
    if run.options.updates and not report.incomplete:
        from conformance.observed import update  # noqa: PLC0415 - nothing else needs ruamel

        for line in update(report, run.options.specs, FOLDER):
            terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End a run of the project's own tests with how to run the gate."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal and not is_gate(config) and not config.option.collectonly:
        terminal.write_line(HOW_TO_RUN)


class _Recorder:
    """Writes each result down when its report has arrived, from whichever process."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what one phase of a test gave."""
        self._run.record(*getattr(report, "results", ()))


def _progress(config: pytest.Config) -> Any:
    if is_worker(config):
        return str  # there is nobody to tell
    if line := live(config):
        return line.say
    capture = config.pluginmanager.getplugin("capturemanager")
    terminal = config.pluginmanager.getplugin("terminalreporter")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)

    return show
