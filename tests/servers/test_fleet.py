"""Several servers at once: as many as memory allows, each up when it is asked for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import CannotRunHere, Progress, ServerSpec, Target
from servers.fleet import Fleet, quick_first
from servers.target import ServerLog
from tests.servers.conftest import MakeSpec

NAMES = ["first", "second", "third"]


class Harbour:
    """Launches nothing, but keeps the order in which it is asked to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.up = threading.Semaphore(0)

    @contextmanager
    def launch(self, name: str, progress: Progress) -> Iterator[Target]:
        """A target of that name; one called `broken` can't be had."""
        progress(f"starting {name}")
        self.seen.append(f"+{name}")
        self.up.release()
        if name == "broken":
            raise CannotRunHere("it is broken", "mend it")
        yield Target(server=name, title=name, how="native", log=ServerLog(Path("log")))
        self.seen.append(f"-{name}")


@pytest.fixture
def spec(make_spec: MakeSpec) -> ServerSpec:
    """A server that takes 1 GiB."""
    return make_spec(more="needs: {memory: 1g}")


def test_asking_for_one_starts_the_others_that_fit(spec: ServerSpec):
    harbour = Harbour()

    with Fleet(dict.fromkeys(NAMES, spec), harbour.launch, room=2 * 1024**3) as fleet:
        fleet.target("first", print)
        for _ in range(2):
            assert harbour.up.acquire(timeout=10)

        assert sorted(harbour.seen) == ["+first", "+second"]


def test_one_that_ended_makes_room_for_the_next(spec: ServerSpec):
    harbour = Harbour()

    with Fleet(dict.fromkeys(NAMES, spec), harbour.launch, room=0) as fleet:
        for name in NAMES:
            assert fleet.target(name, print).server == name
            fleet.end(name)

    assert harbour.seen == ["+first", "-first", "+second", "-second", "+third", "-third"]


def test_one_that_can_not_be_had_is_told_to_who_asks_and_the_rest_goes_on(spec: ServerSpec):
    harbour, said = Harbour(), list[str]()

    with Fleet({"broken": spec, "second": spec}, harbour.launch, room=0) as fleet:
        with pytest.raises(CannotRunHere, match="it is broken"):
            fleet.target("broken", said.append)

        assert fleet.target("second", said.append).server == "second"
    assert said == ["starting broken", "starting second"]


def test_all_have_ended_when_the_fleet_has(spec: ServerSpec):
    harbour = Harbour()

    with Fleet(dict.fromkeys(NAMES[:2], spec), harbour.launch, room=2 * 1024**3) as fleet:
        for name in NAMES[:2]:
            fleet.target(name, print)

    assert sorted(harbour.seen) == ["+first", "+second", "-first", "-second"]


def test_slow_servers_come_last(make_spec: MakeSpec):
    specs = {"slow": make_spec(timeout=600), "quick": make_spec(timeout=5)}

    assert list(quick_first(specs)) == ["quick", "slow"]
