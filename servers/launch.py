"""Bring a server up, and down again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.native import start_native
from servers.spec import ServerSpec
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
    with start_native(spec, model, log, port, progress) as target:
        yield target
