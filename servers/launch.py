"""Bring a server up, and down again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers.attach import attach, is_url, load_attached
from servers.catalog import load_server
from servers.errors import CannotRunHere, UnknownRelease, UnknownServer
from servers.machine import lacking
from servers.native import start_native
from servers.spec import AttachedSpec, ServerSpec
from servers.target import ModelPaths, Progress, Target


def _silent(_: str) -> None:
    """Show no progress."""


@contextmanager
def launch(
    spec: ServerSpec,
    *,
    model: ModelPaths,
    log: Path,
    port: int | None = None,
    progress: Progress = _silent,
) -> Iterator[Target]:
    """A target that answered a chat completion; nothing of it is left afterwards.

    Raises PortTaken, CannotRunHere, ServerDied or NotReady.
    """
    if isinstance(spec, AttachedSpec):
        way = attach(spec, log)
    elif spec.native is None or (spec.container and lacking(spec.native.needs)):
        # Its library takes as long to import as all else together, and few runs need it.
        from servers.container import start_container  # noqa: PLC0415

        way = start_container(spec, model, log, port, progress)
    else:
        way = start_native(spec, model, log, port, progress)
    with way as target:
        yield target


def find_server(text: str) -> ServerSpec:
    """What `--server=` may say: `NAME[@VERSION][,how=container][,image=IMAGE]`, or a URL.

    Raises what `load_server` and `load_attached` raise.
    """
    if is_url(text):
        return load_attached(text)
    name, *settings = text.split(",")
    spec = load_server(name)
    if not settings:
        return spec
    if "@" in name:
        raise UnknownRelease(
            f"{text} names a version, and a container has that of its image",
            f"{spec.name},how=container,image=IMAGE",
        )
    return _in_container(spec, settings)


def _in_container(spec: ServerSpec, settings: Sequence[str]) -> ServerSpec:
    """The spec without its native start, and with another image if one is named."""
    pairs = dict(setting.partition("=")[::2] for setting in settings)
    if set(pairs) - {"how", "image"} or pairs.get("how", "container") != "container":
        raise UnknownServer(
            f"{spec.name} can't be had with {','.join(settings)}", "how=container, image=IMAGE"
        )
    if spec.container is None:
        raise CannotRunHere(f"{spec.title} has no image", f"leave {','.join(settings)} out")
    image = pairs.get("image", spec.container.image)
    container = spec.container.model_copy(update={"image": image})
    return spec.model_copy(update={"native": None, "container": container})
