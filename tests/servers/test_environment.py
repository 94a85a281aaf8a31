"""A server's environment is made once, apart from the suite's, and its lack is told in words."""

import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers import CannotRunHere, ModelPaths, launch
from servers.environment import python_for, satisfied
from servers.machine import lacking
from servers.pip_settings import find_links
from servers.spec import Native, Needs, Release
from tests.servers.conftest import MakeSpec

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(folder: Path, name: str, more: str = "") -> None:
    """A package with one module, `<name>.py`."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "here = True\n")
        wheel.writestr(f"{info}/METADATA", METADATA.format(name=name, more=more))
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in place of the package index, and a cache of its own."""
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setattr("servers.environment.CACHE", tmp_path / "cache")
    make_wheel(tmp_path, "sidecar")
    make_wheel(tmp_path, "tinyserver", more="Requires-Dist: sidecar\n")
    return tmp_path


def native(requirement: str, **more: object) -> Native:
    """Just enough of a server to make an environment for it."""
    return Native.model_validate(
        {"command": [], "requirements": [requirement], "releases": [Release(version="1.0")], **more}
    )


def can_import(python: str, module: str) -> bool:
    """Whether the interpreter finds the module."""
    return subprocess.run([python, "-c", f"import {module}"], check=False).returncode == 0


@pytest.mark.usefixtures("wheels")
def test_environment_is_made_once_and_apart():
    said: list[str] = []

    python = python_for(native("tinyserver=={version}"), "Tiny", said.append)
    again = python_for(native("tinyserver=={version}"), "Tiny", said.append)

    assert python == again != sys.executable
    assert can_import(python, "tinyserver")
    assert can_import(python, "sidecar")
    assert said == ["making an environment for Tiny 1.0 (once)"]


@pytest.mark.usefixtures("wheels")
def test_two_who_need_the_same_environment_at_once_make_one():
    said: list[str] = []

    with ThreadPoolExecutor() as threads:
        makers = [
            threads.submit(python_for, native("tinyserver"), "Tiny", said.append) for _ in range(4)
        ]

    assert len({maker.result() for maker in makers}) == 1
    assert said == ["making an environment for Tiny 1.0 (once)"]


def test_wheels_are_looked_for_where_pip_was_told(tmp_path: Path):
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nfind-links =\n    /one\n    /two\n")

    assert find_links({"PIP_CONFIG_FILE": str(settings)}) == "/one,/two"
    assert find_links({"PIP_FIND_LINKS": "/three /four"}) == "/three,/four"
    assert find_links({"UV_FIND_LINKS": "/five", "PIP_FIND_LINKS": "/six"}) == "/five"
    assert find_links({"PIP_CONFIG_FILE": "/dev/null"}) == ""


@pytest.mark.usefixtures("wheels")
def test_dependency_can_be_left_out():
    python = python_for(native("tinyserver", without=["sidecar"]), "Tiny", print)

    assert can_import(python, "tinyserver")
    assert not can_import(python, "sidecar")


def test_failed_environment_is_told_and_leaves_nothing(wheels: Path):
    with pytest.raises(CannotRunHere, match=r"(?s)uv can't make an environment for Tiny.*absent"):
        python_for(native("absent"), "Tiny", print)

    assert [file.suffix for file in (wheels / "cache").iterdir()] == [".lock"]


@pytest.mark.usefixtures("wheels")
def test_missing_uv_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("servers.environment.find_uv", lambda: None)

    with pytest.raises(CannotRunHere, match="no uv") as caught:
        python_for(native("tinyserver"), "Tiny", print)

    assert caught.value.hint == "pip install uv"


def test_embedded_server_uses_the_suites_own_environment():
    version = f"pytest=={pytest.__version__}"

    assert python_for(native(version, embedded=True), "Tiny", print) == sys.executable


def test_requirements_are_compared_with_what_is_installed():
    assert satisfied(["pytest>=8"])
    assert not satisfied(["pytest<8"])
    assert not satisfied(["no-such-package"])


def test_processor_without_avx2_is_told(tmp_path: Path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nflags : fpu sse avx\n")

    assert lacking(Needs(cpu_flags=["avx2"]), cpuinfo) == "its build needs a processor with AVX2"
    assert lacking(Needs(cpu_flags=["avx"]), cpuinfo) == ""


def test_machine_without_enough_memory_is_told():
    needs = Needs.model_validate({"memory": "99999g"})

    assert "it takes 99999.0 GiB of memory" in lacking(needs)


def test_server_for_another_machine_can_not_run_here(
    make_spec: MakeSpec, model: ModelPaths, tmp_path: Path
):
    spec = make_spec(more="needs: {platforms: [plan9-mips]}")

    with (
        pytest.raises(CannotRunHere, match="it runs on plan9-mips, and this is "),
        launch(spec, model=model, log=tmp_path / "log"),
    ):
        pass
