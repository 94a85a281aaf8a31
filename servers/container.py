"""A server in a container: no new privileges, no capabilities, a read-only model, loopback only."""

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from docker.errors import DockerException, NotFound
from requests import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from servers.engine import connect, ensure_image
from servers.errors import CannotRunHere, NotReady
from servers.identify import UNKNOWN, identify
from servers.port import LOOPBACK, claim
from servers.process import how_it_ended
from servers.ready import PAUSE, raise_if_died, wait_until_ready
from servers.spec import Container, ServerSpec
from servers.target import ModelPaths, Progress, ServerLog, Target
from servers.words import Words

GUARD = Path(__file__).with_name("container_guard.py")
testcontainers_config.ryuk_disabled = True


@contextmanager
def start_container(
    spec: ServerSpec, model: ModelPaths, log: Path, port: int | None, progress: Progress
) -> Iterator[Target]:
    """Run its image, wait until it answers, and remove the container afterwards."""
    if (container := spec.container) is None:
        raise CannotRunHere(f"{spec.title} has no image", "start it and give its URL")
    image = ensure_image(connect(), container.image, progress)
    words = Words(model, port=container.port)
    progress(f"starting {spec.title} in a container")
    with _told(spec.title), guarded(_prepared(container, words, port)) as running:
        target = _target(spec, running, log)
        target.model = words.fill(spec.served_model)
        target.flags = container.settings
        target.image = image
        target.url = f"http://{LOOPBACK}:{_host_port(running, container.port)}/v1"
        _set_up(running, words.fill_all(container.setup), target, spec.ready.timeout)
        wait_until_ready(target, spec.ready.timeout)
        identify(target, spec.identity, [])
        tag = container.image.rpartition(":")[2]
        if target.version == UNKNOWN and any(letter.isdigit() for letter in tag):
            target.version = tag
        yield target


def _prepared(container: Container, words: Words, port: int | None) -> DockerContainer:
    """Everything that the engine is told, before anything runs."""
    prepared = DockerContainer(
        container.image,
        name=f"provider-openai-{uuid.uuid4().hex[:12]}",
        env={name: words.fill(value) for name, value in container.env.items()},
        volumes=[
            (str(Path(words.fill(mount.source)).resolve()), words.fill(mount.target), "ro")
            for mount in container.mounts
        ],
        security_opt=["no-new-privileges"],
        cap_drop=["ALL"],
        cap_add=container.capabilities,
        mem_limit=container.memory,
        shm_size=container.shm,
        init=True,
    )
    flags = words.split([flag.flag for flag in container.flags])
    if command := [*words.split(container.command), *flags]:
        prepared.with_command(command)
    # testcontainers only knows of port numbers; the engine below it also takes an address.
    ports = cast("dict[str, Any]", prepared.ports)
    ports[f"{container.port}/tcp"] = (LOOPBACK, claim(port) if port else None)
    return prepared


@contextmanager
def _told(title: str) -> Iterator[None]:
    """What the engine refuses, or leaves unanswered, as a sentence of ours."""
    try:
        yield
    except (DockerException, RequestException) as error:
        reason = getattr(error, "explanation", None) or f"{type(error).__name__}: {error}"
        raise CannotRunHere(
            f"the container engine can't run {title}: {reason}",
            "python -m servers doctor tells which engine it is",
        ) from None


@contextmanager
def guarded(prepared: DockerContainer) -> Iterator[Any]:
    """The running container; a process of its own removes it when this ends, however it ends."""
    name = str(prepared._name)  # noqa: SLF001  it can be set, but not asked
    guard = subprocess.Popen(
        [sys.executable, str(GUARD), name], stdin=subprocess.PIPE, start_new_session=True
    )
    goodbye = b"."
    try:
        yield prepared.start().get_wrapped_container()
    except (RequestException, KeyboardInterrupt):
        goodbye = b""  # the engine, left without patience, may make the container all the same
        raise
    finally:
        guard.communicate(goodbye)


def _follow(running: Any, log: Path) -> None:
    """Write the container's output into the log, until it ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb", buffering=0) as stream:
        for piece in running.logs(stream=True, follow=True):
            stream.write(piece)


def _host_port(running: Any, port: int) -> int:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        running.reload()
        if bound := running.ports.get(f"{port}/tcp"):
            return int(bound[0]["HostPort"])
        if running.status == "exited":
            break
        time.sleep(PAUSE)
    return 0


def _set_up(running: Any, steps: Sequence[Sequence[str]], target: Target, timeout: float) -> None:
    """Run commands inside, each until it succeeds: the server may not listen yet."""
    end = time.monotonic() + timeout
    for step in steps:
        raise_if_died(target)  # in a container that has ended nothing can be run
        while (result := running.exec_run(list(step))).exit_code:
            raise_if_died(target)
            if time.monotonic() > end:
                said = result.output.decode(errors="replace")[-500:]
                raise NotReady(
                    f"{target.title}: {' '.join(step)} failed: {said}",
                    f"its log: {target.log.file}",
                )
            time.sleep(PAUSE)


def _end_of(running: Any, title: str) -> str | None:
    state = running.attrs["State"]
    if state["Running"]:
        return None
    why = " for want of memory" if state.get("OOMKilled") else ""
    last = running.logs(tail=15).decode(errors="replace")
    ended = how_it_ended(state["ExitCode"])
    return f"{title} ended with {ended}{why}; it last wrote:\n{last}"


def _target(spec: ServerSpec, running: Any, file: Path) -> Target:
    threading.Thread(target=_follow, args=(running, file), daemon=True).start()

    def watch() -> str | None:
        try:
            running.reload()
            return _end_of(running, spec.title)
        except NotFound:
            return f"{spec.title} ended: somebody removed its container"
        except (DockerException, RequestException) as error:
            return f"{spec.title} can't be asked after, its engine is gone: {error}"

    return Target(
        server=spec.name, title=spec.title, how="container", log=ServerLog(file), watch=watch
    )
