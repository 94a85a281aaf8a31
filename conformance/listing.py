"""What there is to be checked, told on the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from reports import Check

_WIDTH = 88


def listed(rows: Iterable[Check]) -> Iterator[str]:
    """A line for each check, below its chapter."""
    count = 0
    for chapter, inside in groupby(rows, key=lambda row: row.chapter):
        yield f"\n{chapter}"
        for row in inside:
            count += 1
            yield f"  {row.id:<28} {row.level:<6} {row.title}"
    yield f"\n{count} checks. More on one of them: pytest --explain ID"


def explained(row: Check) -> Iterator[str]:
    """Everything that the catalogue says of one check."""
    yield f"{row.id}  {row.level}  {row.title}"
    yield f"asked on {' and '.join(row.layers)}, {' and '.join(row.modes)}"
    parts = {"requires": row.requirement, "source": row.link, "why": row.why, "remedy": row.remedy}
    for name, text in parts.items():
        yield textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f"  {name:<9}",
            subsequent_indent=" " * 11,
            break_long_words=False,
            break_on_hyphens=False,
        )
