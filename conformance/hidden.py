"""Keys, which a server or a module may repeat, kept out of what pytest prints."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from reports.journal import SECRET_SIZE
from reports.redact import hide, spellings


def hide_keys(report: pytest.TestReport, keys: Iterable[str | None]) -> None:
    """Take keys out of a report's message or traceback, and out of what was captured."""
    spelt = [one for key in keys if key and len(key) >= SECRET_SIZE for one in spellings(key)]
    if not spelt:
        return
    # A traceback shows text within quotes, where backslashes are doubled.
    secrets = sorted({*spelt, *(repr(one)[1:-1] for one in spelt)}, key=len, reverse=True)
    report.sections = [(name, hide(text, secrets)) for name, text in report.sections]
    told = str(report.longrepr or "")
    # Only then, for a traceback that is text has lost its colours.
    if (clean := hide(told, secrets)) != told:
        report.longrepr = clean
