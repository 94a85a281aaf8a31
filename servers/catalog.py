"""Which servers there are: one YAML file each, beside this module."""

import difflib
import re
from pathlib import Path

from servers.errors import UnknownRelease, UnknownServer
from servers.spec import Release, ServerSpec
from servers.yaml_file import load_yaml

FOLDER = Path(__file__).parent
VERSION = re.compile(r"\d+(\.\w+)+")


def list_servers(folder: Path = FOLDER) -> list[str]:
    """Names, in alphabetical order."""
    return sorted(file.stem for file in folder.glob("*.yaml"))


def load_server(name: str, folder: Path = FOLDER) -> ServerSpec:
    """Everything about one server; `vllm@0.31.0` or `llamacpp@b11549` chooses its release.

    Raises UnknownServer, UnknownRelease or InvalidServerFile.
    """
    name, _, wanted = name.partition("@")
    known = list_servers(folder)
    if name not in known:
        raise _unknown(name, known)
    spec = load_yaml(folder / f"{name}.yaml", ServerSpec, {"name": name})
    return _with_release(spec, wanted) if wanted else spec


def _with_release(spec: ServerSpec, wanted: str) -> ServerSpec:
    """The spec with that release first; a version that isn't listed is taken at its word."""
    native = spec.native
    if native is None:
        raise UnknownRelease(f"{spec.title} has no release to choose", f"leave @{wanted} out")
    others = [r for r in native.releases if wanted not in (r.version, r.build)]
    listed = [r for r in native.releases if r not in others]
    if not listed and not VERSION.fullmatch(wanted):
        known = ", ".join(f"{r.build or r.version}" for r in others)
        raise UnknownRelease(f"{spec.title} {wanted!r} is not known", f"known: {known}")
    releases = [*(listed or [Release(version=wanted)]), *others]
    chosen = native.model_copy(update={"releases": releases})
    return spec.model_copy(update={"native": chosen})


def _unknown(name: str, known: list[str]) -> UnknownServer:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    there_are = f"there are: {', '.join(known)}"
    hint = f"did you mean {near[0]!r}? {there_are}" if near else there_are
    return UnknownServer(f"there is no server {name!r}", hint)
