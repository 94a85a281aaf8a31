"""Which side of a comparison was seen, and which expected."""

from __future__ import annotations

import pytest

from conformance.compared import sides


@pytest.mark.parametrize(
    ("op", "left", "right", "seen", "expected"),
    [
        ("==", "tiger", "river", "'tiger'", "'river'"),
        ("==", None, 200, "None", "200"),
        ("in", 500, {400, 404}, "500", "{400, 404}"),
        ("in", 500, (400, 404), "500", "(400, 404)"),
        ("not in", 500, frozenset({500}), "500", "not in frozenset({500})"),
        ("in", "rain", "It is sunny.", "'It is sunny.'", "contains 'rain'"),
        ("in", "tiny", ["large"], "['large']", "contains 'tiny'"),
        ("not in", "tools", {"tools": []}, "{'tools': []}", "does not contain 'tools'"),
        ("in", b"a", b"b", "b'b'", "contains b'a'"),
        ("<=", {"a"}, {"b"}, "{'a'}", "<= {'b'}"),
        (">", 4, 5, "4", "> 5"),
        ("is not", None, None, "None", "is not None"),
        ("!=", "call_1", "call_1", "'call_1'", "!= 'call_1'"),
    ],
)
def test_sides(op: str, left: object, right: object, seen: str, expected: str) -> None:
    assert sides(op, left, right) == (seen, expected)
