"""Which Amplifier module is under test, where it comes from, and what it is configured with."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from reports.redact import redact_flags, redact_headers
from servers import ServersError

GROUP = "amplifier.modules"
PREFIX = "amplifier_module_"
INSTALL = f"python3 -m pip --python {sys.executable} install"
#: What `--provider-config` can't say, and what says it.
_ELSEWHERE = {
    "base_url": "--server=URL chooses the server",
    "api_key": "--server=URL,key=VARIABLE names the variable that holds the key",
}
#: A key of a cache: it opens nothing.
_NO_SECRETS = {"prompt_cache_key"}


class CannotLoad(ServersError):
    """The module under test can't be had, or can't be configured so."""


@dataclass(frozen=True)
class Module:
    """An Amplifier provider module, by the name that a mount plan calls it.

    `commit` is empty where nobody tells; `config` goes on top of all other configuration.
    `package` is what is imported, and `source` what pip installs it from.
    """

    name: str
    version: str = ""
    commit: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    package: str = field(default="", compare=False)
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        """As reports name it: `provider-openai 1.1.0 (commit 1a2b3c4d5e6f), max_tokens=64`.

        No secret is told.
        """
        commit = f" (commit {self.commit})" if self.commit else ""
        settings = "".join(f", {key}={value}" for key, value in masked(self.config).items())
        return f"{self.name} {self.version or 'of unknown version'}{commit}{settings}"

    def load(self) -> None:
        """Import it. `CannotLoad` says why that fails."""
        try:
            importlib.import_module(self.package)
        except ModuleNotFoundError as error:
            raise CannotLoad(
                f"{self.package} needs the package {error.name!r}, which is not installed",
                f"{INSTALL} {self.source}",
            ) from None
        except Exception as error:  # whatever the module does on import  # noqa: BLE001
            said = f"{type(error).__name__}: {error}"
            raise CannotLoad(
                f"{self.package} can't be imported: {said}", "mend the module"
            ) from None


def find_module(text: str, settings: Sequence[str] = ()) -> Module:
    """The module that `--provider` names, to be loaded from now on; `settings` are KEY=VALUE.

    `text` is the name of an entry point, or the path of a checkout that holds a package
    `amplifier_module_*`. Raises `CannotLoad`.
    """
    config = dict(map(_setting, settings))
    found = entry_points(group=GROUP, name=text)
    if found:
        return _installed(next(iter(found)), config)
    if Path(text).is_dir():
        return _in_checkout(Path(text).resolve(), config)
    known = ", ".join(sorted({one.name for one in entry_points(group=GROUP)})) or "none"
    raise CannotLoad(
        f"there is no Amplifier module {text!r}, and no such folder; installed: {known}",
        f"{INSTALL} amplifier-module-{Path(text).name}, or give the path of a checkout",
    )


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise CannotLoad(f"{text!r} sets nothing", "--provider-config KEY=VALUE")
    if key in _ELSEWHERE:
        raise CannotLoad(f"--provider-config can't set {key}", _ELSEWHERE[key])
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError:
        return key, value


def masked(value: Any, key: str = "") -> Any:
    """The value of a setting, of which what looks like a secret is not told, at any depth."""
    match value:
        case Mapping():
            return {name: masked(one, str(name)) for name, one in value.items()}
        case list():
            return [masked(one, key) for one in value]
        case None | "" | bool():
            return value
    _, told = redact_flags([f"--{key.lower()}", str(value)])
    [(_, told)] = redact_headers([(key, told)])
    return value if told == str(value) or key in _NO_SECRETS else told


def secrets_in(value: Any, key: str = "") -> Iterator[str]:
    """What `masked` does not tell."""
    match value:
        case Mapping():
            for name, one in value.items():
                yield from secrets_in(one, str(name))
        case list():
            for one in value:
                yield from secrets_in(one, key)
        case _ if masked(value, key) != value:
            yield str(value)


def _installed(entry_point: EntryPoint, config: Mapping[str, Any]) -> Module:
    dist, package = entry_point.dist, entry_point.module
    if dist is None:
        return Module(entry_point.name, config=config, package=package, source=package)
    return Module(entry_point.name, dist.version, _commit_of(dist), config, package, dist.name)


def _in_checkout(folder: Path, config: Mapping[str, Any]) -> Module:
    places = [*folder.glob(f"{PREFIX}*/__init__.py"), *folder.glob(f"src/{PREFIX}*/__init__.py")]
    if len(places) != 1:
        found = ", ".join(sorted(place.parent.name for place in places)) or "none"
        raise CannotLoad(
            f"{folder} must hold one package {PREFIX}*, and holds: {found}",
            "give the folder that the module's pyproject.toml is in",
        )
    package = places[0].parent
    sys.path.insert(0, str(package.parent))
    spec = importlib.util.find_spec(package.name)
    if spec is None or not Path(str(spec.origin)).is_relative_to(folder):
        place = spec and spec.origin
        raise CannotLoad(f"{package.name} was loaded from {place} before", "start pytest anew")
    project = _project(folder)
    names = project.get("entry-points", {}).get(GROUP) or [_name_of(package.name)]
    version, source = str(project.get("version", "")), f"-e {folder}"
    return Module(next(iter(names)), version, _git(folder), config, package.name, source)


def _name_of(package: str) -> str:
    return package.removeprefix(PREFIX).replace("_", "-")


def _project(folder: Path) -> dict[str, Any]:
    file = folder / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text()).get("project", {}) if file.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise CannotLoad(f"{file} can't be read: {error}", "correct it") from None
    return dict(project)


def _commit_of(dist: Distribution) -> str:
    """Of what was installed from a repository, or from a folder that is one."""
    source = json.loads(dist.read_text("direct_url.json") or "{}")
    if commit := source.get("vcs_info", {}).get("commit_id"):
        return str(commit)[:12]
    url = urlsplit(source.get("url", ""))
    return _git(Path(unquote(url.path))) if url.scheme == "file" and "dir_info" in source else ""


def _git(folder: Path) -> str:
    """The commit that a folder is at, and whether it has changes; nothing outside of git."""
    commit = _git_says(folder, "rev-parse", "--short=12", "HEAD")
    changed = commit and _git_says(folder, "status", "--porcelain", "--", ".")
    return f"{commit} with changes" if changed else commit


def _git_says(folder: Path, *arguments: str) -> str:
    try:
        said = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
