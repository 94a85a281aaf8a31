"""Which servers there are: one YAML file each, beside this module."""

import difflib
from pathlib import Path

from servers.errors import UnknownServer
from servers.spec import ServerSpec
from servers.yaml_file import load_yaml

FOLDER = Path(__file__).parent


def list_servers(folder: Path = FOLDER) -> list[str]:
    """Names, in alphabetical order."""
    return sorted(file.stem for file in folder.glob("*.yaml"))


def load_server(name: str, folder: Path = FOLDER) -> ServerSpec:
    """Everything about one server; UnknownServer or InvalidServerFile."""
    known = list_servers(folder)
    if name not in known:
        raise _unknown(name, known)
    return load_yaml(folder / f"{name}.yaml", ServerSpec, {"name": name})


def _unknown(name: str, known: list[str]) -> UnknownServer:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    there_are = f"there are: {', '.join(known)}"
    hint = f"did you mean {near[0]!r}? {there_are}" if near else there_are
    return UnknownServer(f"there is no server {name!r}", hint)
