"""What a row of the catalogue says of statuses is what its check takes."""

from __future__ import annotations

import re

import pytest

from conformance import test_errors
from conformance.canned import NO_ROUTE
from conformance.catalogue import catalogue


@pytest.mark.parametrize(
    ("check", "taken"),
    [
        ("errors.unknown-model", test_errors.NO_MODEL),
        ("errors.context-overflow", test_errors.TOO_LONG),
        ("fallback.missing-route", {answer.status for answer in NO_ROUTE}),
    ],
)
def test_statuses_are_those_of_the_row(check: str, taken: set[int]) -> None:
    told = {int(status) for status in re.findall(r"\b[45]\d\d\b", catalogue()[check].requirement)}

    assert told == taken
    assert not catalogue()[check].quoted
