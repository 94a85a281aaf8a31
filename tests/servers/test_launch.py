"""A server comes up, says what it is, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from servers import ModelPaths, NotReady, PortTaken, ServerDied, launch
from servers.process import run_to_end
from tests.process import gone
from tests.servers.conftest import MakeSpec


def test_target_answers_and_knows_its_version(
    make_spec: MakeSpec, model: ModelPaths, tmp_path: Path
):
    spec = make_spec(identity="build: []")

    with launch(spec, model=model, log=tmp_path / "log") as target:
        answer = httpx.post(f"{target.url}/chat/completions", json={})

        assert answer.json()["choices"]
        assert (target.version, target.build, target.how) == ("1.2.3", "b9", "native")
        assert target.died() is None


def test_build_is_asked_of_the_server(make_spec: MakeSpec, model: ModelPaths, tmp_path: Path):
    probe = "{path: /v1/chat/completions, field: system_fingerprint, match: '(b[0-9]+)-.*'}"
    spec = make_spec(identity=f"build: [{probe}]")

    with launch(spec, model=model, log=tmp_path / "log") as target:
        assert target.build == "b7"


def test_server_may_choose_its_port_and_tell_it_in_the_log(
    make_spec: MakeSpec, model: ModelPaths, tmp_path: Path
):
    spec = make_spec(more=r"port_in_log: 'listening on (\d+)'")

    with launch(spec, model=model, log=tmp_path / "log") as target:
        assert target.url.startswith("http://127.0.0.1:")
        assert f"listening on {httpx.URL(target.url).port}" in target.log.since(0)


def test_log_can_be_read_from_a_mark_on(make_spec: MakeSpec, model: ModelPaths, tmp_path: Path):
    with launch(make_spec(), model=model, log=tmp_path / "log") as target:
        mark = target.log.mark()
        httpx.get(f"{target.url}/somewhere")

        assert "GET /v1/somewhere" in target.log.since(mark)
        assert "POST" not in target.log.since(mark)


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        ("die", r"(?s)exit status 3.*no such tensor: blk\.0"),
        ("illegal", r"(?s)signal SIGILL \(illegal instruction: this build is for.*loading model"),
    ],
)
def test_early_death_is_told_with_the_last_log_lines(
    make_spec: MakeSpec, model: ModelPaths, tmp_path: Path, manner: str, told: str
):
    with (
        pytest.raises(ServerDied, match=told),
        launch(make_spec(manner, timeout=60), model=model, log=tmp_path / "log"),
    ):
        pass


def test_command_that_does_not_exist_is_told(
    make_spec: MakeSpec, model: ModelPaths, tmp_path: Path
):
    spec = make_spec(command="no-such-server")

    with (
        pytest.raises(ServerDied, match="no-such-server: No such file"),
        launch(spec, model=model, log=tmp_path / "log"),
    ):
        pass


@pytest.mark.parametrize(
    ("manner", "problem"), [("never-ready", "HTTP 503"), ("deaf", "ReadTimeout")]
)
def test_server_that_never_answers_is_not_ready(
    make_spec: MakeSpec, model: ModelPaths, tmp_path: Path, manner: str, problem: str
):
    with (
        pytest.raises(NotReady, match=problem),
        launch(make_spec(manner, timeout=2), model=model, log=tmp_path / "log"),
    ):
        pass


def test_taken_port_is_refused_in_words(make_spec: MakeSpec, model: ModelPaths, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with (
            pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 can't be had"),
            launch(make_spec(), model=model, log=tmp_path / "log", port=port),
        ):
            pass


def test_killed_server_is_noticed(make_spec: MakeSpec, model: ModelPaths, tmp_path: Path):
    with launch(make_spec(), model=model, log=tmp_path / "log") as target:
        assert target.pid is not None
        os.kill(target.pid, signal.SIGKILL)
        assert gone(target.pid)
        while target.died() is None:
            time.sleep(0.01)

        assert "signal SIGKILL" in (target.died() or "")


def test_children_of_the_server_end_with_it(make_spec: MakeSpec, model: ModelPaths, tmp_path: Path):
    with launch(make_spec("with-child"), model=model, log=tmp_path / "log") as target:
        child = int(target.log.since(0).split()[1])

    assert gone(child)


def test_command_that_prepares_a_server_ends_with_the_suite(tmp_path: Path):
    noted = tmp_path / "pid"
    child = f"import os, time; open({str(noted)!r}, 'w').write(f'{{os.getpid()}} '); time.sleep(60)"
    suite = f"""
import sys
from servers.process import run_to_end
run_to_end([sys.executable, "-c", {child!r}], {{}})
"""
    process = subprocess.Popen([sys.executable, "-c", suite])
    while not noted.exists() or not noted.read_text().endswith(" "):
        time.sleep(0.01)

    process.kill()
    process.communicate()

    assert gone(int(noted.read_text()))


def test_command_that_prepares_a_server_tells_status_and_output():
    command = [sys.executable, "-c", "import sys; print('said'); sys.exit(3)"]

    assert run_to_end(command, {}) == (3, "said\n")


def test_nothing_is_left_after_the_suite_was_killed(make_spec: MakeSpec, tmp_path: Path):
    make_spec("with-child")
    suite = f"""
import sys, time
from pathlib import Path
from servers import ModelPaths, launch, load_server
here = Path({str(tmp_path)!r})
with launch(load_server("standin", here), model=ModelPaths("m", here, here, ""),
            log=here / "log") as target:
    print(target.pid, target.log.since(0).split()[1], flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", suite], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]

    process.kill()
    process.communicate()

    assert len(pids) == 2
    assert gone(*pids)
