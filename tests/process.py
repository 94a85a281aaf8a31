"""Whether processes are still there."""

from __future__ import annotations

import time
from pathlib import Path


def runs(pid: int) -> bool:
    """Whether a process is there, and more than a name in a table."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the latter where it goes while it is read
        return False
    return state != "Z"


def gone(*pids: int) -> bool:
    """Whether all of these processes end within ten seconds."""
    end = time.monotonic() + 10
    while any(map(runs, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
