"""A server's process group, held by its supervisor."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from servers.supervise import GRACE

#: Seconds in which a server has ended, whatever it does.
LONGEST_STOP = 3 * GRACE
SUPERVISOR = Path(__file__).with_name("supervise.py")
ILLEGAL_INSTRUCTION = " (illegal instruction: this build is for another processor than this one)"
#: What would lead an interpreter to other packages than its own.
NOT_FOR_SERVERS = {"PYTHONPATH", "PYTHONHOME"}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in NOT_FOR_SERVERS}


class Process:
    """A command that runs until `stop`, or until the suite is gone, however it goes."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            self._supervisor = subprocess.Popen(
                [sys.executable, str(SUPERVISOR), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env={**_environment(), **env},
                start_new_session=True,
            )
        self._lifeline = cast("IO[bytes]", self._supervisor.stdin)
        self._says = cast("IO[bytes]", self._supervisor.stdout)
        self.pid = int(self._says.readline() or 0)

    def status(self) -> int | None:
        """Exit status, or minus the number of a signal; None while it runs."""
        return self._supervisor.poll()

    def stop(self) -> None:
        """End the whole group: SIGTERM, a grace of some seconds, SIGKILL."""
        self._lifeline.close()
        try:
            self._supervisor.wait(timeout=2 * GRACE)
        except subprocess.TimeoutExpired:
            self._kill()
        self._says.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._supervisor.kill()
        self._supervisor.wait()


@contextmanager
def running(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> Iterator[Process]:
    """A `Process` that is stopped at the end, whatever happens."""
    process = Process(command, env=env, log=log)
    try:
        yield process
    finally:
        process.stop()


def run_to_end(command: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Exit status and output of a command that doesn't outlive the suite, however that ends."""
    with subprocess.Popen(
        [sys.executable, str(SUPERVISOR), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
        start_new_session=True,
    ) as supervisor:
        said = cast("IO[bytes]", supervisor.stderr).read().decode(errors="replace")
    return supervisor.returncode, said


def how_it_ended(status: int) -> str:
    """`exit status 1`, `signal SIGKILL`; and what an illegal instruction means.

    An engine tells 128 + N of a container that signal N ended, a `Popen` -N of a process.
    """
    told = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    illegal = status in (-signal.SIGILL, 128 + signal.SIGILL)
    return f"{told}{ILLEGAL_INSTRUCTION}" if illegal else told
