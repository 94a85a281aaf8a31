"""A target on the bench: the tap in front of it, and the askers that go through the tap."""

from __future__ import annotations

import platform
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import reports
from conformance.agreement import Agreement
from conformance.ask import Asker
from conformance.exchange import exchanges
from conformance.module import Module
from conformance.mount import mounted
from conformance.other_model import serves_own
from conformance.protocol import Protocol
from conformance.provider import ProviderAsker
from conformance.wire import WireAsker, open_client
from fixtures.model.files import ModelFiles
from reports import Exchange, Layer, Mode
from servers import ServerSpec, Target
from servers.faults import Fault
from servers.spec import AttachedSpec
from servers.tap import REFUSED, Tap

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
    module: Module
    wanted: Protocol | None = None
    #: Whether the model that it serves is the suite's own.
    own_model: bool = True
    #: Markup of the template and routes, and whether the server knows them, as was found out.
    knows: dict[str, bool] = field(default_factory=dict)
    #: By check, so that it makes no difference which process asks what.
    agreements: dict[str, Agreement] = field(default_factory=lambda: defaultdict(Agreement))
    _was_lost: bool = False

    @property
    def url(self) -> str:
        """The base URL through the tap."""
        return self._tapped(self.target.url)

    def _tapped(self, url: str) -> str:
        return urlsplit(url)._replace(netloc=f"127.0.0.1:{self.tap.port}").geturl()

    @property
    def protocol(self) -> Protocol:
        """What the module is told to speak."""
        return protocol_for(self.spec, self.module, self.wanted)

    @property
    def config(self) -> dict[str, Any]:
        """The module's configuration: what an entry of a settings file says, through the tap.

        Without retries, each question is one request.
        """
        entry = _entry(self.spec)
        config = {
            **entry,
            **_spoken(self.spec, self.wanted),
            "base_url": self._tapped(entry.get("base_url", self.target.url)),
            "default_model": self.target.model,
            "max_retries": 0,
        }
        key = {"api_key": self.target.api_key} if self.target.api_key else {}
        return {**config, **key, **self.module.config}

    @asynccontextmanager
    async def asker(self, layer: Layer, mode: Mode) -> AsyncIterator[Asker]:
        """A new asker, with connections and a session of its own."""
        if layer is Layer.WIRE:
            async with open_client(self.url, self.target.api_key) as client:
                yield WireAsker(client, self.target.model, mode)
        else:
            entry = {"module": self.module.name, "config": self.config}
            async with mounted(entry) as mount:
                yield ProviderAsker(mount, entry, mode)

    def moment(self) -> Moment:
        """Now."""
        return Moment(time.time(), self.tap.mark(), self.target.log.mark())

    def exchanges(self, since: Moment) -> list[Exchange]:
        """What went over the wire since, on connections of its own.

        What the check before gave up may still be on its way, on the connection that it opened.
        """
        parts = urlsplit(self.target.url)
        server = f"{parts.scheme}://{parts.netloc}"
        return exchanges(self.tap.since(since.tap), server, since.at)

    def lost(self) -> str | None:
        """None while something listens at the target's address; else what became of it."""
        try:
            socket.create_connection(_address(self.target.url), timeout=5).close()
        except OSError:
            sentence = self._end() or f"nothing listens at {self.target.url} any more"
            self._was_lost = True
            return sentence
        return None

    def refused(self, since: Moment) -> bool:
        """Whether the server took no connection at some time since: nothing was asked of it."""
        return any(one.ended == REFUSED for one in self.tap.since(since.tap))

    def still_lost(self) -> str | None:
        """The same of a target that was lost before; of any other, its answers will tell."""
        return self.lost() if self._was_lost else None

    def _end(self) -> str | None:
        """How the server ended; its port closes a moment before its end can be seen."""
        deadline = time.monotonic() + (0 if self._was_lost else SOON)
        while (ended := self.target.died()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return ended


@contextmanager
def on_bench(
    id_: str,
    spec: ServerSpec,
    target: Target,
    *,
    module: Module,
    protocol: Protocol | None,
    model: ModelFiles,
    faults: Sequence[Fault],
) -> Iterator[Bench]:
    """Put the tap in front of a server that is up."""
    own = serves_own(target, model)
    with Tap(*_address(target.url), faults=faults) as tap:
        yield Bench(id_, spec, target, tap, module, protocol, own)


def protocol_for(spec: ServerSpec, module: Module, wanted: Protocol | None) -> Protocol:
    """What the module speaks, by the last word on it: its own configuration's, if that has one."""
    settings = {**_entry(spec), **_spoken(spec, wanted), **module.config}
    return Protocol.of(settings.get("use_responses_api"))


def _spoken(spec: ServerSpec, wanted: Protocol | None) -> dict[str, Any]:
    """What is wanted; else the entry of a settings file speaks for itself, by silence too."""
    if wanted is None and _entry(spec):
        return {}
    return {"use_responses_api": (wanted or Protocol.CHAT).setting}


def described(
    id_: str,
    spec: ServerSpec,
    target: Target,
    *,
    module: Module,
    protocol: Protocol | None,
    model: ModelFiles,
    faults: Sequence[Fault] = (),
) -> reports.Target:
    """The target as the report names it."""
    return reports.Target(
        id=id_,
        server=target.server,
        title=target.title,
        version=target.version,
        build=target.build or None,
        how=target.how,
        image=target.image or None,
        flags=tuple(target.flags),
        model=target.model if target.how == "attach" else model.name,
        model_digest=(model.digest or None) if target.how != "attach" else None,
        protocol=protocol_for(spec, module, protocol).spoken,
        provider=str(module),
        os=platform.platform(),
        python=platform.python_version(),
        started=datetime.now(UTC),
        recipe=_recipe(spec),
        faults=tuple(map(str, faults)),
    )


def _recipe(spec: ServerSpec) -> reports.Recipe:
    told = spec.recipe
    tried = tuple(
        reports.Tried(
            setting=f"use_responses_api: {str(one.use_responses_api).lower()}",
            seen_on=one.seen_on,
            passed=one.passed,
        )
        for one in told.tried
    )
    return reports.Recipe(start=told.start, settings=told.settings, notes=told.notes, tried=tried)


def _entry(spec: ServerSpec) -> dict[str, Any]:
    return spec.config if isinstance(spec, AttachedSpec) else {}


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80
