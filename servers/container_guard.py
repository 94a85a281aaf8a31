"""Removes one container as soon as nobody holds this process's standard input open.

The suite holds it: however the suite ends, even by `kill -9`, the kernel closes the pipe. So no
image has to be pulled for the purpose, as testcontainers' own Ryuk needs one.
"""

import os
import sys
import time

from docker.errors import NotFound
from testcontainers.core.docker_client import DockerClient

#: Seconds for which an engine may still be about to make what a suite that was killed asked of it.
PATIENCE, PAUSE = 10.0, 0.2


def main(name: str) -> None:
    """Wait, then remove the container of that name, running or not."""
    said = b""
    while more := os.read(0, 1024):
        said += more
    patience = 0.0 if said else PATIENCE  # who says goodbye asks for nothing more
    end = time.monotonic() + patience
    while not _removed(name) and time.monotonic() < end:
        time.sleep(PAUSE)


def _removed(name: str) -> bool:
    try:
        DockerClient().client.containers.get(name).remove(force=True, v=True)
    except NotFound:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])
