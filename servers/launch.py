"""Bring a server up, and down again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.attach import attach, is_url, load_attached
from servers.catalog import load_server
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
    else:
        way = start_native(spec, model, log, port, progress)
    with way as target:
        yield target


def find_server(text: str) -> ServerSpec:
    """What `--server=` may say: a name, a name@version, or the URL of a server that runs.

    Raises what `load_server` and `load_attached` raise.
    """
    return load_attached(text) if is_url(text) else load_server(text)
