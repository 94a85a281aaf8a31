"""Reasoning that a model writes into its content as `<think>…</think>`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

OPEN, CLOSE = "<think>", "</think>"
# A bare closing tag after one of these is spoken of, not used.
_QUOTES = ("`", "'", '"', "(")
Kind = Literal["text", "thinking", "was_thinking"]


class ThinkSplitter:
    """Splits content, however it is cut, into text and thinking.

    Only the beginning of the content can open a thought. Where the chat template
    has written the opening tag itself, only the closing one shows: then a piece of
    kind "was_thinking" says that all text before it was a thought.
    """

    def __init__(self) -> None:
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
        if held:
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
        if tag and self._state == "unsure" and before.endswith(_QUOTES):
            self._state = "text"
            return
        if tag:
            yield kind, before
            if self._state == "unsure":
                yield "was_thinking", ""
            self._held, self._state = after, "closing"
            return
        keep = _held_length(before)
        self._held = before[len(before) - keep :]
        yield kind, before[: len(before) - keep]


def _held_length(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a closing tag."""
    start = text.rfind("<", -len(CLOSE) + 1)
    return len(text) - start if start >= 0 and CLOSE.startswith(text[start:]) else 0
