"""A headless Chromium that tells everything a page did."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright


@dataclass
class Watched:
    """A page, what it complained of, what it asked for from elsewhere, what it popped up."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def open(self, path: Path, fragment: str = "") -> Page:
        """Open a file from disk, as somebody who was sent the folder would."""
        self.page.goto(path.resolve().as_uri() + fragment)
        return self.page


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, **settings: Any) -> Iterator[Watched]:
    """A fresh page on which nothing goes unnoticed."""
    context = browser.new_context(**settings)
    page = context.new_page()
    seen = Watched(page)
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda request: _note(seen, request))
    page.on("dialog", lambda dialog: _dismiss(seen, dialog))
    yield seen
    context.close()


def _note(seen: Watched, request: Request) -> None:
    if not request.url.startswith(("file:", "data:")):
        seen.requests.append(request.url)


def _dismiss(seen: Watched, dialog: Dialog) -> None:
    seen.dialogs.append(dialog.message)
    dialog.dismiss()
