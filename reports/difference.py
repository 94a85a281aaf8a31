"""Two texts side by side, line by line, within limits: both may come from a server."""

import difflib
import json
from collections.abc import Iterator
from contextlib import suppress

from reports.escape import visible

DIFF_LIMIT = 4_000
"""Characters of each side that are compared."""
LINE_LIMIT = 300
"""Lines of each side that are compared: the time that takes grows with their square."""


def difference(expected: str, seen: str) -> Iterator[tuple[str, str]]:
    """Lines of both texts with `-` (expected only), `+` (seen only) or a space before them."""
    before, after = _lines(expected), _lines(seen)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind == "equal":
            yield from ((" ", line) for line in before[start:end])
        else:
            yield from (("-", line) for line in before[start:end])
            yield from (("+", line) for line in after[other_start:other_end])


def _lines(text: str) -> list[str]:
    """The lines of a text; JSON is spread out first, so that a change stands alone."""
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    lines = visible(text, DIFF_LIMIT).split("\n")
    more = len(lines) - LINE_LIMIT
    return [*lines[:LINE_LIMIT], f"… [{more} more lines]"] if more > 0 else lines
