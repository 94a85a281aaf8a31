"""An expectation speaks of the versions it names, builds among them."""

from __future__ import annotations

from datetime import date

import pytest

from conformance.cell import Cell
from conformance.expectations import which
from reports import Layer, Mode
from servers import Expectation


@pytest.mark.parametrize(
    ("versions", "version", "covered"),
    [
        ("", "unknown", True),
        ("", "b10434", True),
        ("==10434", "b10434", True),
        ("==10434", "2026.10.11549", False),
        ("<0.33", "0.32.0", True),
        ("<0.33", "0.33.1", False),
        ("<0.33", "unknown", False),
    ],
)
def test_range_covers_versions_and_builds(versions: str, version: str, covered: bool) -> None:  # noqa: FBT001
    known = Expectation(
        check="text.plain",
        outcomes=["fail"],
        versions=versions,
        reason="It fails there.",
        seen_on=version,
        recheck_by=date(2027, 2, 22),
    )
    cell = Cell("text.plain", Layer.WIRE, Mode.WHOLE)

    found = which([known], version, cell, during="text.plain")

    assert (found is not None) is covered
