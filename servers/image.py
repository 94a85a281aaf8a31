"""Images made here, for machines that can't pull the official ones."""

import shutil
import tempfile
from pathlib import Path

from docker.errors import BuildError, DockerException

from servers.engine import connect
from servers.environment import python_for
from servers.errors import CannotRunHere
from servers.spec import LocalImage, Native, Release, ServerSpec
from servers.target import Progress

DOCKERFILES = Path(__file__).parent / "images"
LAST_LINES = 8


def build_image(spec: ServerSpec, base: str, progress: Progress) -> str:
    """Build the server's image on top of the image `base`; its tag. CannotRunHere says why not."""
    local = spec.container.local if spec.container else None
    if local is None:
        raise CannotRunHere(f"no image of {spec.title} can be made here", "pull the official one")
    source = _installed(spec, local, progress)
    progress(f"building {local.tag} on {base}")
    with tempfile.TemporaryDirectory(prefix=f"{spec.name}-image-") as folder:
        shutil.copytree(source, Path(folder) / "server")
        shutil.copy(DOCKERFILES / f"{spec.name}.Dockerfile", Path(folder) / "Dockerfile")
        _build(folder, local.tag, base)
    return local.tag


def _installed(spec: ServerSpec, local: LocalImage, progress: Progress) -> Path:
    """The folder that goes into the image, in an environment made for it or for the server."""
    native = spec.native
    if native is None or local.requirement:
        release = Release(version=local.requirement.rpartition("=")[2])
        native = Native(command=[], requirements=[local.requirement], releases=[release])
    environment = Path(python_for(native, spec.title, progress)).parents[1]
    return next(environment.glob("lib/python*/site-packages")) / local.folder


def _build(folder: str, tag: str, base: str) -> None:
    try:
        connect().images.build(path=folder, tag=tag, buildargs={"BASE": base}, rm=True)
    except BuildError as error:
        lines = [str(line.get("stream", "")).strip() for line in error.build_log]
        last = "\n".join([line for line in lines if line][-LAST_LINES:])
        raise CannotRunHere(f"{tag} can't be built on {base}: {error.msg}\n{last}", _HINT) from None
    except DockerException as error:
        raise CannotRunHere(f"{tag} can't be built on {base}: {error}", _HINT) from None


_HINT = "is the base image there, and a Debian or Ubuntu?"
