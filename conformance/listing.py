"""What there is to be checked, told on the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from reports import Check

_WIDTH = 88
_NAME = 9


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
    parts = {
        "requires": f'"{row.requirement}"' if row.quoted else row.requirement,
        "source" if row.quoted else "after": row.link,
        "why": row.why,
    }
    for name, text in (parts | row.remedies).items():
        # A long name has a line to itself.
        yield from () if len(name) < _NAME else (f"  {name}",)
        yield textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f"  {name if len(name) < _NAME else '':<{_NAME}}",
            subsequent_indent=" " * (_NAME + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
