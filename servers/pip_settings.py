"""What pip was told on this machine that uv must know too: uv doesn't read pip's settings."""

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path


def find_links(environ: Mapping[str, str] = os.environ) -> str:
    """Folders and pages with wheels, as UV_FIND_LINKS takes them; what uv was told goes first."""
    for variable in ("UV_FIND_LINKS", "PIP_FIND_LINKS"):
        if told := environ.get(variable):
            return ",".join(told.replace(",", " ").split())
    return ",".join(_in_files(environ))


def _in_files(environ: Mapping[str, str]) -> list[str]:
    """From the last file that names any, as pip reads them."""
    found: list[str] = []
    for file in _files(environ):
        parser = configparser.RawConfigParser(strict=False)
        parser.read(file)
        for section in ("global", "install"):
            found = parser.get(section, "find-links", fallback="").split() or found
    return found


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where pip looks: the machine's, the user's, the environment's, and the one it was given."""
    given = environ.get("PIP_CONFIG_FILE", "")
    if given == os.devnull:
        return
    home = Path.home()
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if given:
        yield Path(given)
