"""The site's figures come from the report, and no page gets heavy."""

import json
import re
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports.difference import difference
from reports.exchange import Body, Chunk
from reports.history import history
from reports.model import Check, Kill
from reports.site import Site, build_site
from reports.site.shown import Page
from reports.words import Mode, Outcome
from tests.reports.sample import (
    START,
    a_check,
    a_large_report,
    a_report,
    a_report_that_warns,
    a_result,
    a_target,
    an_exchange,
    an_expectation,
    results_of,
)


class Figures(HTMLParser):
    """Collects each element marked as a figure, with its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self._open: dict[str, str | None] | None = None

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notice whether a figure begins."""
        self._open = dict(attrs) if "data-figure" in dict(attrs) else None

    def handle_data(self, data: str) -> None:
        """Keep the text of a figure."""
        if self._open is not None:
            self.found.append((self._open, data.strip()))
            self._open = None


def figures(page: Path, kind: str) -> list[tuple[dict[str, str | None], str]]:
    parser = Figures()
    parser.feed(page.read_text())
    return [found for found in parser.found if found[0]["data-figure"] == kind]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    kills = tuple(
        Kill(check="tools.requirement-002", mutant=f"fault {number}", killed=number > 0)
        for number in range(3)
    )
    report = a_large_report(servers=3, checks=40).model_copy(update={"kills": kills})
    build_site(Site(report, a_large_report(servers=3, checks=38, seed=1)), folder)
    return folder


@pytest.fixture(scope="module")
def document(site: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((site / "report.json").read_text())
    return loaded


def test_the_front_page_counts_what_the_report_holds(site: Path, document: dict[str, Any]):
    chapter_of = {check["id"]: check["chapter"] for check in document["checks"]}
    tallies: dict[tuple[str, str, str], dict[str, bool]] = {}
    for result in document["results"]:
        key = (result["target"], chapter_of[result["check"]], result["layer"])
        passed = tallies.setdefault(key, {})
        good = result["outcome"] == "pass"
        passed[result["check"]] = passed.get(result["check"], True) and good

    shown = figures(site / "index.html", "tally")

    assert len(shown) == 3 * 7 * 2
    for about, text in shown:
        found = tallies[about["data-target"], about["data-chapter"], about["data-layer"]]  # type: ignore[index]
        assert text == f"{sum(found.values())}/{len(found)}"


def test_the_counts_of_outcomes_are_those_of_the_report(site: Path, document: dict[str, Any]):
    counted = Counter(
        (one["target"], one["layer"], one["mode"], one["outcome"]) for one in document["results"]
    )

    shown = figures(site / "index.html", "outcome")

    assert len(shown) == 3 * 4 * 6
    for about, text in shown:
        names = ("data-target", "data-layer", "data-mode", "data-outcome")
        assert text == str(counted[tuple(about[name] for name in names)] or "–")  # type: ignore[index]


def test_the_counts_of_a_servers_page_are_those_of_the_front(site: Path):
    front = [one for one in figures(site / "index.html", "outcome") if "mlx" in one[0].values()]

    assert figures(site / "servers/mlx.html", "outcome") == front


def test_what_works_everywhere_is_counted_rightly(site: Path, document: dict[str, Any]):
    tools = {check["id"] for check in document["checks"] if check["chapter"] == "tools"}
    red = {one["check"] for one in document["results"] if one["outcome"] != "pass"}

    assert figures(site / "chapters/tools.html", "everywhere")[0][1] == str(len(tools - red))


def test_changes_are_counted_over_all_cells(site: Path):
    shown = {about["data-kind"]: int(text) for about, text in figures(site / "diff.html", "change")}

    assert sum(shown.values()) == 3 * 40
    assert shown["added"] == 3 * 2


def test_noticed_faults_are_counted(site: Path):
    assert figures(site / "trust.html", "killed")[0][1] == "2"
    assert figures(site / "trust.html", "mutants")[0][1] == "3"


def test_equal_reports_give_equal_sites(tmp_path: Path):
    one = build_site(Site(a_large_report(servers=2, checks=7)), tmp_path / "one")
    two = build_site(Site(a_large_report(servers=2, checks=7)), tmp_path / "two")

    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_megabytes_of_evidence_leave_a_page_below_two(tmp_path: Path):
    check = a_check(modes=(Mode.WHOLE,))
    chunks = tuple(Chunk(at_ms=number, size=1) for number in range(5_000))
    heavy = an_exchange(response_body=Body.of(b'<&"\x1b' * 50_000), chunks=chunks)
    results = [
        a_result(Outcome.FAIL, case=f"case {number}", exchanges=(heavy,) * 4, log="<" * 500_000)
        for number in range(40)
    ]
    report = a_report(*results, checks=(check,))

    written = build_site(Site(report), tmp_path)

    sizes = {path.name: path.stat().st_size for path in written if path.suffix == ".html"}
    assert max(sizes.values()) < 2_000_000
    assert (
        "more evidence than a page can hold"
        in (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()
    )


def test_results_with_nothing_to_tell_are_a_list(tmp_path: Path):
    results = [a_result(case=f"text.case-{number}", exchanges=(), log="") for number in range(3)]

    build_site(Site(a_report(*results)), tmp_path)

    page = (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()
    assert "Nothing more to tell: 3" in page
    assert "wire, whole, text.case-2: ✔ pass" in page


def test_a_known_divergence_tells_since_when(tmp_path: Path):
    known = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation()))
    old = known.model_copy(update={"started": START - timedelta(days=40)})

    build_site(Site(known, history=history([known, old])), tmp_path)

    page = (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()
    assert "Like this since 2026.10.11549 (b11549-1a2b3c4), <time" in page
    assert ">2026-10-13</time>" in page


def test_a_cell_tells_what_was_expected_and_is_no_longer_seen(tmp_path: Path):
    known = an_expectation(versions="<b12000")
    report = a_report(*results_of(Outcome.PASS, Outcome.PASS, expectation=known))

    build_site(Site(report), tmp_path)

    page = (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()
    assert page.count("Expected, and no longer seen: named tool choice is read as auto") == 1
    assert "Expected on &lt;b12000." in page
    assert 'href="https://github.com/ggml-org/llama.cpp/issues/1"' in page


def test_the_front_page_lists_warnings_up_to_a_bound(tmp_path: Path):
    build_site(Site(a_report_that_warns(13)), tmp_path)
    page = (tmp_path / "index.html").read_text()

    [listed] = re.findall(r'<ul class="warnings">(.*?)</ul>\s*(<p>.*?</p>)', page, re.DOTALL)

    assert listed[0].count("<li>") == 10
    assert 'should-09.html">llamacpp/tools.should-09</a>: a SHOULD, server (owner' in listed[0]
    assert listed[1] == "<p>and 3 more</p>"


def test_a_copy_button_has_its_name_as_text_and_a_page_one_place_to_tell(site: Path):
    page = (site / "servers/llamacpp.html").read_text()

    [*buttons] = re.findall(r'<button type="button" class="copy".*?</button>', page)
    assert len(buttons) == 2
    assert all("aria-label" not in button for button in buttons)
    assert '<span>Copy</span><span class="unseen"> settings for Amplifier</span>' in buttons[1]
    assert page.count('role="status"') == 1


def test_a_change_tells_the_module_where_it_is_another_one(tmp_path: Path):
    old = a_report(targets=(a_target(provider="provider-openai 1.0.0"),))

    build_site(Site(a_report(*results_of(Outcome.FAIL, Outcome.FAIL)), old), tmp_path)

    assert "<small>provider-openai 1.0.0</small>" in (tmp_path / "diff.html").read_text()


def test_a_cell_says_what_can_be_done_and_by_whom(tmp_path: Path):
    page = _cell_page(tmp_path, a_check())

    assert "<p>For the server&#39;s maintainers: Parse every call of the answer.</p>" in page
    assert "<p>For you: Start the server with a template that knows parallel calls.</p>" in page


@pytest.mark.parametrize("quoted", [True, False])
def test_only_a_quotation_looks_like_one(tmp_path: Path, *, quoted: bool):
    page = _cell_page(tmp_path, a_check(quoted=quoted))

    assert ("<blockquote>" in page) is quoted
    assert ("in our words, after " in page) is not quoted


def _cell_page(tmp_path: Path, check: Check) -> str:
    build_site(Site(a_report(checks=(check,))), tmp_path)
    return (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()


def test_only_web_addresses_become_links(tmp_path: Path):
    report = a_report(checks=(a_check(link="javascript:alert(1)"),))

    build_site(Site(report), tmp_path)

    page = (tmp_path / "cells/llamacpp/tools.parallel-calls.html").read_text()
    assert 'href="javascript' not in page


def test_backticks_of_the_catalogue_set_off_code():
    shown = Page().prose("send `<b>` and `index`, not ` alone")

    assert shown == "send <code>&lt;b&gt;</code> and <code>index</code>, not ` alone"


def test_json_is_compared_value_by_value():
    found = list(difference('{"a": 1, "b": 2}', '{"a": 1, "b": 3}'))

    assert [text for sign, text in found if sign == "-"] == [' "b": 2']
    assert [text for sign, text in found if sign == "+"] == [' "b": 3']


def test_text_is_compared_line_by_line():
    assert list(difference("same\nold", "same\nnew")) == [(" ", "same"), ("-", "old"), ("+", "new")]


def test_json_too_deep_to_read_is_compared_as_text():
    assert list(difference("[" * 100_000, "x"))[-1] == ("+", "x")


def test_only_so_many_lines_are_compared():
    found = list(difference("\n" * 4000, "\n" * 3999 + "x"))

    assert len(found) == 302
    assert found[-1] == ("+", "… [3700 more lines]")


def test_a_recipe_tells_why_it_is_that_setting(site: Path):
    page = (site / "servers/llamacpp.html").read_text()

    assert "Tools need a template that knows them." in page
    assert "<code>use_responses_api: false</code>" in page
    assert "<td>9/9</td>" in page
