"""Runs one server for as long as somebody holds this process's standard input open.

The suite holds it: however the suite ends, even by `kill -9`, the kernel closes the pipe,
and the server's whole process group is ended. Started as a script; knows the standard library
only. Prints the server's process id, then ends as the server ends: same status, same signal.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time

GRACE = 5.0
CANNOT_START = 127


def main(command: list[str]) -> int:
    """Exit status of `command`, or minus the signal that ended it."""
    try:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return CANNOT_START
    os.write(1, f"{server.pid}\n".encode())
    threading.Thread(target=_end_with_stdin, args=(server.pid,), daemon=True).start()
    status = server.wait()
    _signal_group(server.pid, signal.SIGKILL)
    return status


def _end_with_stdin(group: int) -> None:
    while os.read(0, 1024):
        pass
    _signal_group(group, signal.SIGTERM)
    time.sleep(GRACE)
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _end_as(status: int) -> None:
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    _end_as(main(sys.argv[1:]))
