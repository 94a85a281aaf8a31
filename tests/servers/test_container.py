"""What an engine is told to run, shown on one that runs a stand-in for every image."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from servers import (
    CannotRunHere,
    ModelPaths,
    ServerDied,
    ServersError,
    find_server,
    launch,
    list_servers,
    load_server,
)
from tests.servers.stand_in_engine import IMAGE_DIGEST, Engine, engine

StartEngine = Callable[..., Engine]
IN_CONTAINERS = [name for name in list_servers() if load_server(name).container]


@pytest.fixture
def start_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartEngine]:
    """Starts an engine that has the image of one server, and makes it the machine's own."""
    with ExitStack() as stack:

        def start(name: str, manner: str = "well") -> Engine:
            container = load_server(name).container
            started = stack.enter_context(engine({container.image} if container else set(), manner))
            monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{started.server_port}")
            return started

        yield start


@pytest.mark.parametrize("name", IN_CONTAINERS)
def test_container_is_shut_in_and_every_word_is_filled_in(
    start_engine: StartEngine, name: str, model: ModelPaths, tmp_path: Path
):
    running = start_engine(name)

    with launch(find_server(f"{name},how=container"), model=model, log=tmp_path / "log"):
        host, told = running.created["HostConfig"], [running.created, running.executed]

    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert host["Memory"] > 0
    assert all(bind.endswith(":ro") for bind in host["Binds"])
    assert [b["HostIp"] for bound in host["PortBindings"].values() for b in bound] == ["127.0.0.1"]
    assert "{port}" not in str(told)
    assert "{model}" not in str(told)
    assert running.removed.is_set()


def test_target_knows_the_image_that_ran(
    start_engine: StartEngine, model: ModelPaths, tmp_path: Path
):
    start_engine("ollama")

    with launch(find_server("ollama"), model=model, log=tmp_path / "log") as target:
        assert (target.how, target.image) == ("container", IMAGE_DIGEST)
        assert (target.server, target.version, target.model) == ("ollama", "0.34.0", "tiny")
        assert "OLLAMA_CONTEXT_LENGTH=4096" in target.flags


@pytest.mark.parametrize(
    ("kind", "version"), [("ollama", "0.33.0-rc2"), ("localai", "4.9.0"), ("lmstudio", "unknown")]
)
def test_version_is_asked_of_the_server_inside(
    start_engine: StartEngine, model: ModelPaths, tmp_path: Path, kind: str, version: str
):
    start_engine(kind, kind)

    with launch(find_server(kind), model=model, log=tmp_path / "log") as target:
        assert target.version == version


def test_model_is_made_known_inside_as_soon_as_that_succeeds(
    start_engine: StartEngine, model: ModelPaths, tmp_path: Path
):
    running = start_engine("ollama")

    with launch(find_server("ollama"), model=model, log=tmp_path / "log"):
        pass

    create = ["ollama", "create", "tiny", "-f", "/model/Modelfile"]
    assert running.executed == [create, create]


TOLD = {
    "die": (ServerDied, r"(?s)exit status 3.*no such tensor"),
    "illegal": (ServerDied, r"exit status 132 \(illegal instruction: this build is for another"),
    "full": (CannotRunHere, r"can't run llama\.cpp: no space left on device"),
}


@pytest.mark.parametrize("fault", TOLD)
def test_what_goes_wrong_in_the_engine_is_told_with_its_own_words(
    start_engine: StartEngine,
    model: ModelPaths,
    tmp_path: Path,
    fault: str,
):
    start_engine("llamacpp", fault)
    error, told = TOLD[fault]

    with (
        pytest.raises(error, match=told),
        launch(find_server("llamacpp,how=container"), model=model, log=tmp_path / "log"),
    ):
        pass


def test_image_that_can_not_be_pulled_is_told(
    start_engine: StartEngine, model: ModelPaths, tmp_path: Path
):
    start_engine("llamacpp")
    spec = find_server("llamacpp,how=container,image=example/other:1")

    with (
        pytest.raises(CannotRunHere, match="example/other:1 can't be had: manifest unknown"),
        launch(spec, model=model, log=tmp_path / "log"),
    ):
        pass


def test_container_that_somebody_removed_is_told(
    start_engine: StartEngine, model: ModelPaths, tmp_path: Path
):
    running = start_engine("ollama")

    with launch(find_server("ollama"), model=model, log=tmp_path / "log") as target:
        running.remove()

        assert target.died() == "Ollama ended: somebody removed its container"


def test_machine_without_an_engine_says_so(
    monkeypatch: pytest.MonkeyPatch, model: ModelPaths, tmp_path: Path
):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    with (
        pytest.raises(CannotRunHere, match="no container engine answers"),
        launch(find_server("ollama"), model=model, log=tmp_path / "log"),
    ):
        pass


def _suite(here: Path) -> subprocess.Popen[str]:
    """A process that starts Ollama, says so, and waits."""
    suite = f"""
import time
from pathlib import Path
from servers import ModelPaths, find_server, launch
here = Path({str(here)!r})
with launch(find_server("ollama"), model=ModelPaths("m", here, here, ""), log=here / "log"):
    print("up", flush=True)
    time.sleep(60)
"""
    return subprocess.Popen([sys.executable, "-c", suite], stdout=subprocess.PIPE, text=True)


def test_container_is_removed_when_the_suite_was_killed(start_engine: StartEngine, tmp_path: Path):
    running = start_engine("ollama")
    process = _suite(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"

    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert running.removed.wait(10)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_container_that_came_after_the_suite_was_ended_is_removed_too(
    start_engine: StartEngine, tmp_path: Path, end: signal.Signals
):
    running = start_engine("ollama")
    running.may_create.clear()
    process = _suite(tmp_path)
    assert running.asked.wait(30)

    process.send_signal(end)
    assert running.missed.wait(10)
    running.may_create.set()

    assert running.removed.wait(10)
    process.communicate()


#: MLX has no image, and an image has a version of its own.
TEXTS = (
    "mlx,how=container",
    "llamacpp,how=magic",
    "llamacpp,colour=red",
    "vllm@0.31.0,how=container",
)


@pytest.mark.parametrize("text", TEXTS)
def test_what_can_not_be_had_is_refused(text: str):
    with pytest.raises(ServersError) as caught:
        find_server(text)

    assert caught.value.hint
