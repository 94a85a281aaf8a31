"""A server as a process on this machine."""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from servers.environment import python_for
from servers.errors import CannotRunHere, NotReady
from servers.identify import identify, installed_version
from servers.machine import lacking
from servers.port import LOOPBACK, claim, free_port
from servers.process import Process, how_it_ended, running
from servers.ready import PAUSE, raise_if_died, wait_until_ready
from servers.spec import Native, ServerSpec
from servers.target import ModelPaths, Progress, ServerLog, Target
from servers.words import Words

OTHER_WAYS = "start it elsewhere and give its URL: --server=http://HOST:PORT/v1"


@contextmanager
def start_native(
    spec: ServerSpec, model: ModelPaths, log: Path, port: int | None, progress: Progress
) -> Iterator[Target]:
    """Start it, wait until it answers, and end its whole process group afterwards."""
    native = _native(spec)
    claimed = claim(port) if port else 0
    python = python_for(native, spec.title, progress)
    asked = claimed or _port_to_ask_for(native)
    with tempfile.TemporaryDirectory(prefix=f"{spec.name}-") as scratch:
        words = Words(model, python=python, port=asked, scratch=scratch)
        progress(f"starting {spec.title}")
        with _process(native, words, log) as process:
            target = _target(spec, process, log)
            target.model = words.fill(spec.served_model)
            target.flags = native.settings
            number = asked or _port_from_log(native.port_in_log, target, spec.ready.timeout)
            target.url = f"http://{LOOPBACK}:{number}/v1"
            wait_until_ready(target, spec.ready.timeout)
            if package := spec.identity.package:
                target.version = installed_version(python, package)
            identify(target, spec.identity, native.releases)
            yield target


def _native(spec: ServerSpec) -> Native:
    if spec.native is None:
        raise CannotRunHere(f"{spec.title} can't be started as a process here", OTHER_WAYS)
    if reason := lacking(spec.native.needs):
        raise CannotRunHere(f"{spec.title} can't run here: {reason}", OTHER_WAYS)
    return spec.native


def _port_to_ask_for(native: Native) -> int:
    """0 where the server itself takes any free port and tells which."""
    return 0 if native.port_in_log else free_port()


def _process(native: Native, words: Words, log: Path) -> AbstractContextManager[Process]:
    flags = [flag.flag for flag in native.flags]
    env = {name: words.fill(value) for name, value in native.env.items()}
    return running(words.split([*native.command, *flags]), env=env, log=log)


def _target(spec: ServerSpec, process: Process, file: Path) -> Target:
    log = ServerLog(file)

    def watch() -> str | None:
        if (status := process.status()) is None:
            return None
        return f"{spec.title} ended with {how_it_ended(status)}; it last wrote:\n{log.tail()}"

    return Target(
        server=spec.name, title=spec.title, how="native", log=log, pid=process.pid, watch=watch
    )


def _port_from_log(pattern: str, target: Target, timeout: float) -> int:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if match := re.search(pattern, target.log.since(0)):
            return int(match[1])
        raise_if_died(target)
        time.sleep(PAUSE)
    raise NotReady(f"{target.title} didn't say where it listens", f"its log: {target.log.file}")
