"""Isolated Python environments for servers: made by uv on first use, kept by what is in them."""

import fcntl
import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from servers.errors import CannotRunHere
from servers.pip_settings import find_links
from servers.process import run_to_end
from servers.spec import Native
from servers.target import Progress

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "provider-openai-servers"
LAST_LINES = 6


def python_for(native: Native, title: str, progress: Progress) -> str:
    """An interpreter that has the chosen release; CannotRunHere says why there is none."""
    if suits(native):
        return sys.executable
    folder = environment_folder(native)
    if not folder.exists():
        with _alone(folder):
            if not folder.exists():
                progress(f"making an environment for {title} {native.releases[0].version} (once)")
                _make(folder, native, title)
    return str(folder / "bin" / "python")


def suits(native: Native) -> bool:
    """Whether the suite's own environment will do."""
    return not native.requirements or (native.embedded and satisfied(_wanted(native)))


def environment_folder(native: Native) -> Path:
    """Where its environment is, or will be; named by all that decides what is in it."""
    parts = [*_wanted(native), *native.without, platform.python_version(), platform.machine()]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    first = Requirement(_wanted(native)[0]).name
    return CACHE / f"{first}-{native.releases[0].version}-{digest}"


def _wanted(native: Native) -> list[str]:
    version = native.releases[0].version
    return [text.replace("{version}", version) for text in native.requirements]


def satisfied(requirements: Sequence[str]) -> bool:
    """Whether the suite's own environment has all of them."""
    for requirement in map(Requirement, requirements):
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            return False
        if installed not in requirement.specifier:
            return False
    return True


def find_uv() -> str | None:
    """The uv beside this interpreter, or the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait while another process, or thread, makes the same environment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path, native: Native, title: str) -> None:
    """Made beside its final place and moved there, so that what is there is whole."""
    making = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(making, ignore_errors=True)  # of a run that was killed
    making.mkdir()
    without = making / "without.txt"
    without.write_text("".join(f"{name}; python_version < '3'\n" for name in native.without))
    try:
        _uv(title, "venv", "--relocatable", "--python", _interpreter(native), str(making / "env"))
        _uv(
            title,
            *("pip", "install", "--python", str(making / "env"), "--override", str(without)),
            *_torch(native),
            *_wanted(native),
        )
        (making / "env").rename(folder)
    finally:
        shutil.rmtree(making)


def _interpreter(native: Native) -> str:
    """The suite's own Python where the server works with it, else any that uv finds."""
    own = platform.python_version()
    return sys.executable if own in SpecifierSet(native.python) else native.python


def _torch(native: Native) -> list[str]:
    """Torch without CUDA: from where the machine keeps wheels of its own, else from its makers."""
    if "torch" not in native.cpu_builds or find_links():
        return []
    return ["--torch-backend", "cpu"]


def _uv(title: str, *arguments: str) -> None:
    uv = find_uv()
    if uv is None:
        raise CannotRunHere(
            f"{title} needs an environment of its own, and there is no uv to make it",
            "pip install uv",
        )
    status, said = run_to_end([uv, *arguments], {"UV_FIND_LINKS": find_links()})
    if status:
        last = "\n".join(said.strip().splitlines()[-LAST_LINES:])
        raise CannotRunHere(
            f"uv can't make an environment for {title}:\n{last}",
            "is the version right, and can the package index be reached?",
        )
