"""A key that a server repeats is not printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from conformance.hidden import hide_keys
from conformance.judge import Trial
from conformance.options import Options
from conformance.plugin import (
    _OPTIONS,
    _TRIAL,
    pytest_assertrepr_compare,
    pytest_runtest_makereport,
)
from reports import Outcome
from tests.reports.sample import a_result

KEY = 'sk-"quoted"-and-configured'


def told(item: pytest.Item, body: Callable[[], None]) -> pytest.TestReport:
    """Pytest's own report of a test that ends like this."""
    call = pytest.CallInfo.from_call(body, "call")
    report = pytest.TestReport.from_item_and_call(item, call)
    report.sections.append(("Captured log call", f"sent {KEY}"))
    return report


def failing() -> None:
    """What a server may say to a key that it does not know."""
    raise KeyError(json.dumps({"error": f"{KEY} is unknown"}))


def test_key_is_kept_out_of_tracebacks_messages_and_logs(request: pytest.FixtureRequest) -> None:
    report = told(request.node, failing)
    assert "configured" in report.longreprtext

    hide_keys(report, [KEY])

    shown = [report.longreprtext, *(text for _, text in report.sections)]
    assert not [text for text in shown if "and-configured" in text]
    assert "[redacted] is unknown" in report.longreprtext


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR])
@pytest.mark.parametrize(("of_the_server", "configured"), [(KEY, []), (None, [KEY])])
def test_what_pytest_shows_of_a_check_is_without_keys(
    request: pytest.FixtureRequest,
    outcome: Outcome,
    of_the_server: str | None,
    configured: list[str],
) -> None:
    result = a_result(outcome, message=f"HTTP 401: {KEY} is unknown")
    trial = SimpleNamespace(
        results=lambda *_: iter([result]),
        bench=SimpleNamespace(target=SimpleNamespace(api_key=of_the_server)),
        seen=None,
        expected=None,
    )
    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[_OPTIONS] = cast("Options", SimpleNamespace(secrets=configured))
    item = SimpleNamespace(stash=pytest.Stash(), config=config)
    item.stash[_TRIAL] = cast("Trial", trial)
    pytest_assertrepr_compare(cast("pytest.Config", config), op="in", left=401, right={200})
    call = pytest.CallInfo.from_call(failing, "call")
    wrapper = pytest_runtest_makereport(cast("pytest.Item", item), call)
    next(wrapper)

    with pytest.raises(StopIteration) as ended:
        wrapper.send(told(request.node, failing))

    report = ended.value.value
    assert "and-configured" not in report.longreprtext + report.sections[0][1]
    assert "[redacted] is unknown" in report.longreprtext
    assert (trial.seen, trial.expected) == ("401", "{200}")


@pytest.mark.parametrize("key", [None, "", "none", "another-key"])
def test_report_without_the_key_stays_as_it_is(
    request: pytest.FixtureRequest, key: str | None
) -> None:
    report = told(request.node, failing)
    before = report.longrepr

    hide_keys(report, [key])

    assert report.longrepr is before
