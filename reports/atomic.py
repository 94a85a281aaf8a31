"""Writes files so that nobody ever reads half of one."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
