"""A target on the bench: the tap in front of it, and the askers that go through the tap."""

from __future__ import annotations

import platform
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import reports
from conformance.ask import Asker
from conformance.exchange import exchanges
from conformance.mount import mounted
from conformance.protocol import Protocol
from conformance.provider import ProviderAsker
from conformance.wire import WireAsker, open_client
from fixtures.model.files import ModelFiles
from reports import Exchange, Layer, Mode
from servers import ModelPaths, ServerSpec, Target, launch
from servers.faults import Fault
from servers.spec import AttachedSpec
from servers.tap import Tap

#: Seconds in which a process that lost its port is known to have ended.
SOON = 2.0


@dataclass(frozen=True)
class Moment:
    """Where tap and log stood when a check began."""

    at: float
    tap: int
    log: int


@dataclass
class Bench:
    """One target, reached through the tap on both layers."""

    id: str
    spec: ServerSpec
    target: Target
    tap: Tap
    module: str
    wanted: Protocol | None = None

    @property
    def url(self) -> str:
        """The base URL through the tap."""
        return urlsplit(self.target.url)._replace(netloc=f"127.0.0.1:{self.tap.port}").geturl()

    @property
    def protocol(self) -> Protocol:
        """What the module speaks to the server."""
        return self.wanted or Protocol.of(self._entry.get("use_responses_api"))

    @property
    def _entry(self) -> dict[str, Any]:
        return self.spec.config if isinstance(self.spec, AttachedSpec) else {}

    @property
    def config(self) -> dict[str, Any]:
        """The module's configuration: what an entry of a settings file says, through the tap.

        Without retries, each question is one request.
        """
        config = {
            **self._entry,
            "base_url": self.url,
            "default_model": self.target.model,
            "use_responses_api": self.protocol.setting,
            "max_retries": 0,
        }
        return config | ({"api_key": self.target.api_key} if self.target.api_key else {})

    @asynccontextmanager
    async def asker(self, layer: Layer, mode: Mode) -> AsyncIterator[Asker]:
        """A new asker, with connections and a session of its own."""
        if layer is Layer.WIRE:
            async with open_client(self.url, self.target.api_key) as client:
                yield WireAsker(client, self.target.model, mode)
        else:
            entry = {"module": self.module, "config": self.config}
            async with mounted(entry) as mount:
                yield ProviderAsker(mount, entry, mode)

    def moment(self) -> Moment:
        """Now."""
        return Moment(time.time(), self.tap.mark(), self.target.log.mark())

    def exchanges(self, since: Moment) -> list[Exchange]:
        """What went over the wire since."""
        parts = urlsplit(self.target.url)
        server = f"{parts.scheme}://{parts.netloc}"
        return exchanges(self.tap.since(since.tap), server, since.at)

    def lost(self) -> str | None:
        """None while something listens at the target's address; else what became of it."""
        try:
            socket.create_connection(_address(self.target.url), timeout=5).close()
        except OSError:
            return self._end() or f"nothing listens at {self.target.url} any more"
        return None

    def _end(self) -> str | None:
        """How the server ended; its port closes a moment before its end can be seen."""
        deadline = time.monotonic() + SOON
        while (ended := self.target.died()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return ended

    def described(self) -> reports.Target:
        """The target as the report names it."""
        model = self.target.model
        return reports.Target(
            id=self.id,
            server=self.target.server,
            title=self.target.title,
            version=self.target.version,
            build=self.target.build or None,
            how=self.target.how,
            flags=tuple(self.target.flags),
            model=model,
            protocol=self.protocol.spoken,
            provider=f"{self.module} {module_version(self.module)}",
            os=platform.platform(),
            python=platform.python_version(),
            started=datetime.now(UTC),
            recipe=reports.Recipe(start=self.spec.recipe.start, settings=self.spec.recipe.settings),
        )


@contextmanager
def set_up(
    id_: str,
    spec: ServerSpec,
    *,
    module: str,
    protocol: Protocol | None,
    model: ModelFiles,
    log: Path,
    port: int | None,
    faults: Sequence[Fault],
    progress: Callable[[str], None],
) -> Iterator[Bench]:
    """Launch the server and put the tap in front of it. Raises what `servers.launch` raises."""
    paths = ModelPaths(model.name, model.gguf, model.safetensors, model.digest)
    with (
        launch(spec, model=paths, log=log, port=port, progress=progress) as target,
        Tap(*_address(target.url), faults=faults) as tap,
    ):
        yield Bench(id_, spec, target, tap, module, protocol)


def module_version(module: str) -> str:
    """The version of the distribution that brings the Amplifier module, or "not installed"."""
    found = entry_points(group="amplifier.modules", name=module)
    dist = next(iter(found)).dist if found else None
    return dist.version if dist else "not installed"


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80
