"""Several servers in one run: started ahead of need, as many at once as memory allows."""

import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Self

from servers.machine import available_memory
from servers.process import LONGEST_STOP
from servers.spec import AttachedSpec, ServerSpec
from servers.target import Progress, Target

Launch = Callable[[str, Progress], AbstractContextManager[Target]]
PAUSE = 0.1


@dataclass
class _Berth:
    """The place of one server, from when it is wanted until it has gone."""

    memory: int
    up: Future[Target] = field(default_factory=Future)
    said: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    leave: threading.Event = field(default_factory=threading.Event)
    keeper: threading.Thread | None = None
    gone: bool = False


class Fleet:
    """Starts the servers in the order of `specs`, each in a thread that also ends it.

    Whoever asks for a server waits for it; meanwhile the next ones come up, as far as `room`
    (bytes; default: what the machine has to spare) allows. One at a time is always allowed.
    """

    def __init__(
        self, specs: Mapping[str, ServerSpec], launch: Launch, room: int | None = None
    ) -> None:
        self._berths = {name: _Berth(spec.memory) for name, spec in specs.items()}
        self._launch = launch
        self._room = available_memory() if room is None else room
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start as many as there is room for; returns at once."""
        with self._lock:
            for name, berth in self._berths.items():
                if berth.keeper is None and not berth.leave.is_set():
                    if not self._fits(berth):
                        return
                    self._start(name, berth)

    def target(self, name: str, progress: Progress) -> Target:
        """The server, once it is up; raises what `launch` raised. Shows what is done meanwhile."""
        self.start()
        berth = self._berths[name]
        while not berth.up.done() or not berth.said.empty():
            try:
                progress(berth.said.get(timeout=PAUSE))
            except queue.Empty:
                continue
        return berth.up.result()

    def end(self, name: str) -> None:
        """Nobody needs it any more; returns at once, while it ends."""
        self._berths[name].leave.set()

    def close(self) -> None:
        """End all, and wait for those that were up.

        One that was still coming up ends with this process, as after `kill -9`.
        """
        for berth in self._berths.values():
            berth.leave.set()
        for berth in self._berths.values():
            if berth.keeper and berth.up.done():
                berth.keeper.join(LONGEST_STOP)

    def _fits(self, berth: _Berth) -> bool:
        here = [one.memory for one in self._berths.values() if one.keeper and not one.gone]
        return not here or sum(here) + berth.memory <= self._room

    def _start(self, name: str, berth: _Berth) -> None:
        berth.keeper = threading.Thread(
            target=self._keep, args=(name, berth), name=f"keeper of {name}", daemon=True
        )
        berth.keeper.start()

    def _keep(self, name: str, berth: _Berth) -> None:
        try:
            with self._launch(name, berth.said.put) as target:
                berth.up.set_result(target)
                berth.leave.wait()
        except BaseException as error:
            if berth.up.done():
                raise
            berth.up.set_exception(error)
        finally:
            berth.gone = True
            self.start()


def quick_first(specs: Mapping[str, ServerSpec]) -> dict[str, ServerSpec]:
    """The same servers; those that take long to start come last, to do so while others work."""

    def slowness(name: str) -> float:
        spec = specs[name]
        return 0 if isinstance(spec, AttachedSpec) else spec.ready.timeout

    return {name: specs[name] for name in sorted(specs, key=slowness)}
