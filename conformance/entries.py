"""The expectations of a server's file as blocks of text; what stays does so to the letter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

#: The keys of an expectation, in the order in which they are written.
KEYS = [
    *("check", "layers", "modes", "during", "outcomes"),
    *("versions", "reason", "issue", "seen_on", "recheck_by"),
]
#: Items of a list that stand in one line.
_SHORT = 4


@dataclass
class Entries:
    """A file: what is before the first expectation, a block for each, and what is behind."""

    head: str
    blocks: list[str]
    tail: str

    @property
    def text(self) -> str:
        """All of it."""
        head = self.head
        if not self.blocks:
            head = re.sub(r"(?m)^expectations: *$", "expectations: []", head)
        return "".join([head, *self.blocks, self.tail])


def split(text: str) -> Entries:
    """The parts of a server's file; comments belong to the expectation that they stand above."""
    lines = text.splitlines(keepends=True)
    entries = round_trip().load(text).get("expectations")
    if not entries:
        without = re.sub(r"(?m)^expectations:.*\n", "", text).rstrip()
        return Entries(f"{without}\n\nexpectations:\n", [], "")
    starts = [_with_comments(lines, entries.lc.item(number)[0]) for number in range(len(entries))]
    end = starts[-1] + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " #"):
        end += 1
    blocks = ["".join(lines[a:b]) for a, b in zip(starts, [*starts[1:], end], strict=True)]
    return Entries("".join(lines[: starts[0]]), blocks, "".join(lines[end:]))


def _with_comments(lines: Sequence[str], start: int) -> int:
    while lines[start - 1].lstrip().startswith("#") and lines[start - 1][0] == " ":
        start -= 1
    return start


def written(values: Mapping[str, Any]) -> str:
    """The block of a new expectation."""
    return _dumped(_filled(CommentedMap(), values))


def rewritten(block: str, values: Mapping[str, Any]) -> str:
    """A block with other values for some keys; None takes a key out. The rest stays."""
    [entry] = round_trip().load(block)
    begins = re.search(r"(?m)^ *- ", block)
    comments = block[: begins.start()] if begins else ""
    return comments + _dumped(_filled(entry, values))


def _filled(entry: CommentedMap, values: Mapping[str, Any]) -> CommentedMap:
    for key, value in values.items():
        if value is None:
            entry.pop(key, None)
        elif key in entry:
            entry[key] = _in_a_line(value)
        else:
            before = KEYS[: KEYS.index(key)]
            entry.insert(sum(known in entry for known in before), key, _in_a_line(value))
    return entry


def _in_a_line(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    items = CommentedSeq(value)
    if len(items) <= _SHORT:
        items.fa.set_flow_style()
    return items


def _dumped(entry: CommentedMap) -> str:
    out = StringIO()
    round_trip().dump([entry], out)
    return out.getvalue()


def round_trip() -> YAML:
    """A reader and writer in these files' style: 100 columns, lists set in, quotes as found."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
