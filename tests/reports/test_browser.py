"""The site as a person meets it: from disk, in Chromium, by keyboard, in both themes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from reports.history import history
from reports.model import Absent, Kill
from reports.site import Site, build_site
from tests.reports.browser import Watched, chromium, watched
from tests.reports.sample import a_large_report
from tests.reports.test_hostile import hostile

pytestmark = pytest.mark.browser

PAGES = (
    "index.html",
    "checks.html",
    "diff.html",
    "trust.html",
    "chapters/tools.html",
    "servers/llamacpp.html",
    "cells/llamacpp/tools.requirement-002.html",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    before = a_large_report(servers=3, checks=30, seed=1)
    kills = (Kill(check="tools.requirement-002", mutant="drop the last call", killed=True),)
    absent = (Absent(server="lmstudio", title="LM Studio", reason="needs a desktop"),)
    report = a_large_report(servers=3, checks=30).model_copy(
        update={"kills": kills, "absent": absent, "started": datetime.now(UTC)}
    )
    build_site(Site(report, before, history([before, report])), folder)
    return folder


@pytest.fixture
def seen(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as found:
        yield found


def test_every_page_opens_from_disk_without_a_complaint(seen: Watched, site: Path):
    pages = sorted(site.rglob("*.html"))

    for page in pages:
        seen.open(page)

    assert len(pages) > 90
    assert seen.complaints == []
    assert seen.requests == []


def test_every_link_leads_to_a_page(seen: Watched, site: Path):
    links = set()
    for name in PAGES:
        page = seen.open(site / name)
        links |= set(page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"))

    local = {link.removeprefix("file://").split("#")[0] for link in links if "file:" in link}
    assert [link for link in local if not Path(link).exists()] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, site: Path, name: str, scheme: str):
    with watched(browser, color_scheme=scheme) as seen:
        page = seen.open(site / name)
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        found = Axe().run(page).response["violations"]

    serious = [one["id"] for one in found if one["impact"] in {"serious", "critical"}]
    assert serious == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(browser: Browser, site: Path, name: str):
    with watched(browser, viewport={"width": 400, "height": 800}) as seen:
        page = seen.open(site / name)
        width = page.evaluate("document.documentElement.scrollWidth")

    assert width <= 400


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_printed_without_its_controls_and_in_full(
    browser: Browser, site: Path, name: str
):
    with watched(browser, viewport={"width": 794, "height": 1123}, color_scheme="dark") as seen:
        page = seen.open(site / name)
        page.emulate_media(media="print")
        shown = page.locator("nav:visible, button:visible, form:visible").count()
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        boxes = page.eval_on_selector_all(
            "pre", "all => all.filter(one => one.scrollHeight > one.clientHeight + 1).length"
        )

    assert shown == 0
    assert paper == "rgb(255, 255, 255)"
    assert boxes == 0


def rows(page: Page) -> list[str]:
    return page.locator("#checks tbody tr:visible th a").all_inner_texts()


def test_search_narrows_the_table_and_stands_in_the_address(seen: Watched, site: Path):
    page = seen.open(site / "checks.html")

    page.fill("[name=q]", "usage 004")

    assert rows(page) == ["usage.requirement-004"]
    assert page.url.endswith("#q=usage+004")
    assert page.locator("#shown").inner_text() == "1 of 30 checks"


def test_a_filter_in_the_address_is_applied(seen: Watched, site: Path):
    page = seen.open(site / "checks.html", "#verdict=provider&server=vllm")

    verdicts = page.locator("#checks tr:visible td[data-server=vllm]")
    assert verdicts.count() > 0
    assert set(verdicts.evaluate_all("all => all.map(one => one.dataset.verdict)")) == {"provider"}


def test_rows_on_which_servers_differ_can_be_asked_for(seen: Watched, site: Path):
    page = seen.open(site / "checks.html", "#verdict=different")

    assert 0 < len(rows(page)) < 30


def test_a_slash_leads_to_the_search(seen: Watched, site: Path):
    page = seen.open(site / "checks.html")

    page.keyboard.press("/")
    page.keyboard.type("reasoning")

    assert page.input_value("[name=q]") == "reasoning"


def test_arrows_move_through_the_table(seen: Watched, site: Path):
    page = seen.open(site / "checks.html")
    page.locator("#checks tbody tr").first.locator("td[data-server=llamacpp] a").focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")

    focused = page.evaluate("document.activeElement.closest('td').dataset.server")
    assert focused == "mlx"
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2


def test_arrows_go_on_to_the_next_cell_with_a_link(seen: Watched, site: Path):
    page = seen.open(site / "checks.html")
    page.locator("#checks tbody tr").first.locator("th a").focus()

    page.keyboard.press("ArrowRight")

    focused = page.evaluate("document.activeElement.closest('td').dataset.server")
    assert focused == "llamacpp"


def cell_with_a_mark_for_next(seen: Watched, site: Path) -> Page:
    """A page that stays open and tells in its address that it should be left."""
    page = seen.open(site / PAGES[-1])
    page.locator("#next").evaluate("link => link.setAttribute('href', '#next-page')")
    return page


@pytest.mark.parametrize("focused", ["details > summary", "button.copy"])
def test_arrows_within_a_control_are_its_own(seen: Watched, site: Path, focused: str):
    page = cell_with_a_mark_for_next(seen, site)
    page.locator(focused).first.focus()

    page.keyboard.press("ArrowRight")

    assert page.evaluate("location.hash") == ""


def test_arrows_select_text_where_a_selection_is(seen: Watched, site: Path):
    page = cell_with_a_mark_for_next(seen, site)

    page.keyboard.press("Shift+ArrowRight")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    page.keyboard.press("ArrowRight")
    selecting = page.evaluate("location.hash")
    page.evaluate("getSelection().removeAllRanges()")
    page.keyboard.press("ArrowRight")

    assert (selecting, page.evaluate("location.hash")) == ("", "#next-page")


def test_arrows_lead_from_cell_to_cell(seen: Watched, site: Path):
    page = seen.open(site / PAGES[-1])
    there = page.url

    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != there)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(there)

    assert page.url == there


def test_a_curl_line_can_be_copied(browser: Browser, site: Path):
    with watched(browser, permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = seen.open(site / PAGES[-1])
        page.locator("button.copy").first.click()
        page.locator("#status", has_text="Copied").wait_for(state="attached")
        copied = page.evaluate("navigator.clipboard.readText()")

    assert copied.startswith("curl -sS -N -g -X POST --url http://127.0.0.1:8080/")


def test_settings_can_be_copied(browser: Browser, site: Path):
    with watched(browser, permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = seen.open(site / "servers/llamacpp.html")
        page.get_by_role("button", name="Copy settings for Amplifier", exact=True).click()
        page.get_by_role("button", name="Copied settings for Amplifier", exact=True).wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")

    assert copied == "providers:\n  - id: local"


def test_the_theme_is_chosen_and_remembered(seen: Watched, site: Path):
    page = seen.open(site / "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)

    page.click("#theme")
    page.click("#theme")
    page.reload()

    assert page.inner_text("#theme") == "Theme: dark"
    assert page.evaluate(paper) != light


def test_changes_can_be_filtered(seen: Watched, site: Path):
    page = seen.open(site / "diff.html")

    page.select_option("[name=kind]", "broken")

    kinds = page.locator("tr[data-change]:visible").evaluate_all(
        "all => all.map(one => one.dataset.change)"
    )
    assert set(kinds) == {"broken"}


def test_an_old_column_tells_its_age(browser: Browser, tmp_path: Path):
    report = a_large_report(servers=1, checks=7)
    old = report.targets[0].model_copy(update={"started": datetime.now(UTC) - timedelta(days=45)})
    build_site(Site(report.model_copy(update={"targets": (old,)})), tmp_path)

    with watched(browser) as seen:
        page = seen.open(tmp_path / "index.html")
        shown = page.locator("time.stale").inner_text()

    assert shown.endswith(", 45 days ago")


def test_without_scripts_everything_can_still_be_read(browser: Browser, site: Path):
    with watched(browser, java_script_enabled=False) as seen:
        page = seen.open(site / "checks.html")
        count = page.locator("#checks tbody tr").count()

    assert count == 30


def test_nothing_that_a_server_sent_runs(seen: Watched, tmp_path: Path):
    build_site(Site(hostile(), hostile()), tmp_path)

    for path in sorted(tmp_path.rglob("*.html")):
        page = seen.open(path)
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        assert page.locator("img, iframe, object, embed, form[action]").count() == 0
        assert page.locator("script").count() == 1
        assert page.locator("[href^='javascript' i], [onerror], [onclick]").count() == 0

    assert (seen.dialogs, seen.complaints, seen.requests) == ([], [], [])


def test_the_policy_forbids_scripts_that_are_not_the_sites(seen: Watched, site: Path):
    page = seen.open(site / "index.html")

    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); }"
    )

    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
