"""Which checks an expression chooses."""

from __future__ import annotations

import pytest

from conformance.catalogue import catalogue
from conformance.selection import InvalidSelection, selection


def chosen(expression: str) -> set[str]:
    """The ids that it chooses."""
    choose = selection(expression)
    return {row.id for row in catalogue().values() if choose(row)}


@pytest.mark.parametrize(
    ("expression", "inside", "outside"),
    [
        ("text.plain", "text.plain", "text.stop"),
        ("tools.* and MUST", "tools.right-tool", "text.plain"),
        ("not tools.*", "text.plain", "tools.right-tool"),
        ("SHOULD", "structure.json-schema", "text.plain"),
        ("not (text.* or MUST)", "structure.json-schema", "text.plain"),
        ("text.plain or tools.* and SHOULD", "text.plain", "tools.right-tool"),
    ],
)
def test_chooses(expression: str, inside: str, outside: str) -> None:
    ids = chosen(expression)

    assert inside in ids
    assert outside not in ids


@pytest.mark.parametrize("expression", ["", "and", "text.* and", "(text.*", "text.* )", "a b"])
def test_refuses_what_it_cant_read(expression: str) -> None:
    with pytest.raises(InvalidSelection, match="--checks"):
        selection(expression)
