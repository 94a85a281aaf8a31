"""In which ways a server can be had on this machine, and why not in the others."""

import os
import sys
from dataclasses import dataclass
from typing import Any

from servers.engine import connect
from servers.environment import environment_folder, find_uv, suits
from servers.errors import CannotRunHere
from servers.machine import lacking
from servers.spec import Container, Native, ServerSpec

NO_UV = "there is no uv to make its environment: pip install uv"
NEVER = "not yet run"


@dataclass(frozen=True)
class Way:
    """`native` or `container`; `obstacle` is nothing where it can run."""

    how: str
    obstacle: str
    remark: str

    def __str__(self) -> str:
        """One line for people."""
        can = f"can't: {self.obstacle}" if self.obstacle else "can run here"
        return f"{self.how:<9}  {can} ({self.remark})"


def ways(spec: ServerSpec, engine: Any | None) -> list[Way]:
    """Every way that its YAML file tells of; `engine` is what `engine_here` gave."""
    found = []
    if spec.native:
        found.append(_native(spec.native))
    if spec.container:
        found.append(_container(spec.container, engine))
    return found


def engine_here() -> Any | None:
    """A client of this machine's container engine, if one answers."""
    try:
        return connect()
    except CannotRunHere:
        return None


def _native(native: Native) -> Way:
    obstacle = lacking(native.needs)
    here = suits(native) or environment_folder(native).exists()
    if not obstacle and not here and find_uv() is None:
        obstacle = NO_UV
    remark = "ready" if here else "its environment is made on first use"
    return Way("native", obstacle, f"{remark}; {_last_seen(native.ran_on)}")


def _container(container: Container, engine: Any | None) -> Way:
    remark = _last_seen(container.ran_on)
    if engine is None:
        return Way("container", "no container engine answers", remark)
    tags = {tag for image in engine.images.list() for tag in image.tags}
    local = container.local.tag if container.local else ""
    here = next((tag for tag in (container.image, local) if tag in tags), "")
    image = f"image {here}" if here else f"{container.image} would be pulled"
    return Way("container", "", f"{image}; {remark}")


def _last_seen(where: str) -> str:
    return f"seen to work on {where}" if where else NEVER


def doctor(engine: Any | None) -> list[str]:
    """What this machine has of what servers need, a line each."""
    uv = find_uv()
    version = engine.version()["Version"] if engine else ""
    return [
        f"python     {sys.version.split()[0]}, {sys.executable}",
        f"uv         {uv or NO_UV}",
        f"engine     {version or 'no container engine answers'}",
        f"processors {os.cpu_count()}",
    ]
