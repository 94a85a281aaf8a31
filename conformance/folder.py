"""Where a run leaves its report."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

#: Below the folder that pytest was started in; `latest` in it leads to the newest run.
BASE = "conformance-report"


def run_folder(chosen: str | None, servers: list[str]) -> Path:
    """A folder of its own for this run, made now; `chosen` is taken as it is."""
    if chosen:
        folder = Path(chosen)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = Path(BASE) / f"{stamp}-{'-'.join(servers)}-{os.getpid()}"
    folder.mkdir(parents=True)
    _point_latest(folder)
    return folder


def _point_latest(folder: Path) -> None:
    beside = folder.with_name(f".latest-{os.getpid()}")
    beside.symlink_to(folder.name, target_is_directory=True)
    beside.replace(folder.with_name("latest"))
