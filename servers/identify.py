"""Which version and build runs: asked of the server itself, else of what was installed."""

import re
import subprocess
from collections.abc import Sequence

import httpx

from servers.ready import QUESTION, client
from servers.spec import Identity, Probe, Release
from servers.target import Target

UNKNOWN = "unknown"
PATIENCE = 10.0
LONGEST = 80


def identify(target: Target, identity: Identity, releases: Sequence[Release]) -> None:
    """Fill in `version` (unless it is known) and `build` of a target that is ready."""
    with client(target.url, target.api_key) as http:
        if not target.version:
            target.version = _first(http, target.model, identity.version) or UNKNOWN
        builds = {release.version: release.build for release in releases}
        asked = _first(http, target.model, identity.build)
        target.build = asked or builds.get(target.version, "")


def installed_version(python: str, package: str) -> str:
    """Version of `package` in the environment of the interpreter `python`."""
    question = f"import importlib.metadata as m; print(m.version({package!r}))"
    answer = subprocess.run([python, "-c", question], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _first(http: httpx.Client, model: str, probes: Sequence[Probe]) -> str:
    return next(filter(None, (ask(http, model, probe) for probe in probes)), "")


def ask(http: httpx.Client, model: str, probe: Probe) -> str:
    """The fact that `probe` looks for, or nothing."""
    url = http.base_url.join(probe.path)
    try:
        if probe.path.endswith("/chat/completions"):
            answer = http.post(url, json={"model": model, **QUESTION}, timeout=PATIENCE)
        else:
            answer = http.get(url, timeout=PATIENCE)
        found = _field(answer.json(), probe.field) if answer.is_success else ""
    except (httpx.HTTPError, ValueError):
        return ""
    match = re.fullmatch(probe.match, found)
    return match[1][:LONGEST] if match else ""


def _field(value: object, dotted: str) -> str:
    """The part of a JSON value that `dotted` names (`data.0.owned_by`), as text."""
    for name in dotted.split("."):
        match value:
            case dict():
                value = value.get(name)
            case list() if name.isdigit() and int(name) < len(value):
                value = value[int(name)]
            case _:
                return ""
    return str(value) if isinstance(value, str | int | float) else ""
