"""The key of a target, which a server may repeat, kept out of what pytest prints."""

from __future__ import annotations

import pytest

from reports.journal import SECRET_SIZE
from reports.redact import hide, spellings


def hide_key(report: pytest.TestReport, key: str | None) -> None:
    """Take the key out of a report's message or traceback, and out of what was captured."""
    if not key or len(key) < SECRET_SIZE:
        return
    spelt = spellings(key)
    # A traceback shows text within quotes, where backslashes are doubled.
    secrets = sorted({*spelt, *(repr(one)[1:-1] for one in spelt)}, key=len, reverse=True)
    report.sections = [(name, hide(text, secrets)) for name, text in report.sections]
    told = str(report.longrepr or "")
    # Only then, for a traceback that is text has lost its colours.
    if (clean := hide(told, secrets)) != told:
        report.longrepr = clean
