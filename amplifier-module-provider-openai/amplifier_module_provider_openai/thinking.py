"""Reasoning that a model writes into its content as `<think>…</think>`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

OPEN, CLOSE = "<think>", "</think>"
# A bare closing tag after one of these is spoken of, not used; after a space it depends on
# whether the line goes on.
_QUOTES = frozenset("`'\"(")
_LINE_ENDS = frozenset("\r\n")
_TAG = re.compile(f"{OPEN}|{CLOSE}")
_BEGUN_CLOSE = frozenset(CLOSE[:length] for length in range(1, len(CLOSE)))
_BEGUN_TAG = _BEGUN_CLOSE.union(OPEN[:length] for length in range(1, len(OPEN)))
Kind = Literal["text", "thinking", "was_thinking"]


class ThinkSplitter:
    """Splits content, however it is cut, into text and thinking.

    Only the beginning of the content can open a thought. Where the chat template
    has written the opening tag itself, only the closing one shows: then a piece of
    kind "was_thinking" says that all text before it was a thought. Where the text spells
    an opening tag, the closing one of that is text too. `last` tells the last character
    that has been given out, or taken as plain.
    """

    def __init__(self, last: Callable[[], str] = str) -> None:
        self._last = last
        self._held = ""
        self._spelled = 0  # opening tags in the text that no closing one has followed
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
        if self._state == "thinking":
            yield from self._until_close()
        elif self._state == "unsure":
            yield from self._until_bare_close()
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
        before, tag, after = self._held.partition(CLOSE)
        if tag:
            yield "thinking", before
            self._held, self._state = after, "closing"
        else:
            yield "thinking", self._without_held(_BEGUN_CLOSE)

    def _until_bare_close(self) -> Iterator[tuple[Kind, str]]:
        held = self._held
        for tag in _TAG.finditer(held) if ">" in held else ():
            if tag[0] == OPEN:
                self._spelled += 1
            elif self._spelled:
                self._spelled -= 1
            else:
                yield from self._bare_close(held[: tag.start()], held[tag.end() :])
                return
        yield "text", self._without_held(_BEGUN_TAG)

    def _without_held(self, begun: frozenset[str]) -> str:
        """What can go out; the end of it stays if a tag may have begun there."""
        held = self._held
        start = held.rfind("<", -len(CLOSE) + 1)
        if start < 0 or held[start:] not in begun:
            start = len(held)
        self._held = held[start:]
        return held[:start]

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
