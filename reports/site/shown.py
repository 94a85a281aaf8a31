"""Foreign text on a page: harmless, and never so much that the page gets heavy."""

import re

from markupsafe import Markup, escape

from reports.escape import BLOCK_LIMIT, visible

PAGE_LIMIT = 1_500_000
"""Bytes of foreign text on one page, with the markup around it."""
MARKUP = 150
"""Bytes of markup that come with each piece of text, roughly."""


class Page:
    """What is left of one page's room for foreign text."""

    def __init__(self, room: int = PAGE_LIMIT) -> None:
        self._room = room

    def show(self, text: str, limit: int = BLOCK_LIMIT) -> Markup:
        """The text as HTML, or a note that the page is full."""
        shown = escape(visible(text, limit))
        self._room -= len(shown.encode()) + MARKUP
        if self.full():
            return Markup("[this page is full; the rest is in report.json]")
        return shown

    def prose(self, text: str, limit: int = BLOCK_LIMIT) -> Markup:
        """The same for a text of the catalogue, in which backticks set off code."""
        parts = re.split(r"`([^`]+)`", text[:limit])
        shown = [self.show(part) for part in parts]
        shown[1::2] = [Markup("<code>{}</code>").format(part) for part in shown[1::2]]
        return Markup().join(shown)

    def full(self) -> bool:
        """Whether nothing more should be put on the page."""
        return self._room < 0


def safe_link(url: str) -> str:
    """A link that leads to a web page, or nowhere."""
    return url if url.startswith(("https://", "http://")) else ""
