"""Removes one container as soon as nobody holds this process's standard input open.

The suite holds it: however the suite ends, even by `kill -9`, the kernel closes the pipe. So no
image has to be pulled for the purpose, as testcontainers' own Ryuk needs one.
"""

import contextlib
import os
import sys

from docker.errors import NotFound
from testcontainers.core.docker_client import DockerClient


def main(name: str) -> None:
    """Wait, then remove the container of that name, running or not."""
    while os.read(0, 1024):
        pass
    with contextlib.suppress(NotFound):
        DockerClient().client.containers.get(name).remove(force=True, v=True)


if __name__ == "__main__":
    main(sys.argv[1])
