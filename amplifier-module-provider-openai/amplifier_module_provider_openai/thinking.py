"""Reasoning that a model writes into its content as `<think>…</think>`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

OPEN, CLOSE = "<think>", "</think>"
# A bare closing tag after one of these is spoken of, not used; after a space it depends on
# whether the line goes on.
_QUOTES = frozenset("`'\"(")
_LINE_ENDS = frozenset("\r\n")
Kind = Literal["text", "thinking", "was_thinking"]


class ThinkSplitter:
    """Splits content, however it is cut, into text and thinking.

    Only the beginning of the content can open a thought. Where the chat template
    has written the opening tag itself, only the closing one shows: then a piece of
    kind "was_thinking" says that all text before it was a thought. `last` tells the
    last character that has been given out, or taken as plain.
    """

    def __init__(self, last: Callable[[], str] = str) -> None:
        self._last = last
        self._held = ""
        self._state: Literal["start", "opening", "thinking", "unsure", "closing", "text"] = "start"

    def is_plain(self, content: str) -> bool:
        """Whether the next piece of content is text as it stands, so that it needn't be fed."""
        if self._state == "text":
            return True
        return self._state == "unsure" and "<" not in content and not self._held

    def feed(self, content: str) -> Iterator[tuple[Kind, str]]:
        """Pieces of (kind, text); what may be the beginning of a tag is held back."""
        self._held += content
        yield from self._pieces()

    def close(self) -> Iterator[tuple[Kind, str]]:
        """What was held back when the content ended; an unclosed thought stays a thought."""
        held, self._held = self._held, ""
        if held == CLOSE and self._state == "unsure":
            yield "was_thinking", ""
        elif held:
            yield ("thinking" if self._state == "thinking" else "text"), held

    def _pieces(self) -> Iterator[tuple[Kind, str]]:
        if self._state == "start":
            self._decide()
        if self._state == "opening":
            self._held = self._held.lstrip("\n")
            self._state = "thinking" if self._held else "opening"
        if self._state in {"thinking", "unsure"}:
            yield from self._until_close()
        if self._state == "closing":
            self._held = self._held.lstrip()
            self._state = "text" if self._held else "closing"
        if self._state == "text" and self._held:
            held, self._held = self._held, ""
            yield "text", held

    def _decide(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(OPEN):
            self._held, self._state = begun.removeprefix(OPEN), "opening"
        elif not OPEN.startswith(begun):
            self._state = "unsure"

    def _until_close(self) -> Iterator[tuple[Kind, str]]:
        kind: Kind = "thinking" if self._state == "thinking" else "text"
        before, tag, after = self._held.partition(CLOSE)
        if not tag:
            keep = _held_length(before)
            self._held = before[len(before) - keep :]
            yield kind, before[: len(before) - keep]
        elif self._state == "thinking":
            yield kind, before
            self._held, self._state = after, "closing"
        else:
            yield from self._bare_close(before, after)

    def _bare_close(self, before: str, after: str) -> Iterator[tuple[Kind, str]]:
        """A closing tag without an opening one: the end of a thought, or a word in a sentence."""
        last = before[-1:] or self._last()
        if last in _QUOTES or (last == " " and after and after[0] not in _LINE_ENDS):
            self._state = "text"
            return
        yield "text", before
        if last == " " and not after:
            self._held = CLOSE
            return
        yield "was_thinking", ""
        self._held, self._state = after, "closing"


def _held_length(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a closing tag."""
    start = text.rfind("<", -len(CLOSE) + 1)
    return len(text) - start if start >= 0 and CLOSE.startswith(text[start:]) else 0
