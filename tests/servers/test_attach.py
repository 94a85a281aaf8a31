"""A server that already runs is found out about by asking, and left as it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import CannotReach, InvalidAttachment, ModelPaths, NotReady, find_server, launch
from servers.attach import Wish, load_attached, parse
from servers.port import free_port
from servers.process import running
from tests.servers.conftest import STAND_IN


@contextmanager
def somebodys_server(folder: Path, manner: str) -> Iterator[str]:
    """A server that this suite didn't start; its URL."""
    port = free_port()
    command = [sys.executable, str(STAND_IN), str(port), manner]
    log = folder / "their-log"
    with running(command, env={}, log=log):
        while "listening" not in log.read_text():
            pass
        yield f"http://127.0.0.1:{port}/v1"


def test_kind_model_and_version_are_asked(tmp_path: Path, model: ModelPaths):
    with somebodys_server(tmp_path, "well") as url:
        spec = find_server(url)

        with launch(spec, model=model, log=tmp_path / "log") as target:
            assert (target.server, target.model, target.version) == ("vllm", "m", "1.2.3")
            assert (target.how, target.url, target.died()) == ("attach", url, None)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("ollama", ("tiny:latest", "0.33.0-rc2", "")),
        ("localai", ("tiny", "4.9.0", "0a1b2c3d")),
        ("lmstudio", ("tiny", "unknown", "")),
    ],
)
def test_servers_that_can_not_be_had_here_are_known_by_their_bytes(
    tmp_path: Path, model: ModelPaths, kind: str, told: tuple[str, str, str]
):
    with (
        somebodys_server(tmp_path, kind) as url,
        launch(find_server(url), model=model, log=tmp_path / "log") as target,
    ):
        assert target.server == kind
        assert (target.model, target.version, target.build) == told


def test_kind_and_model_may_be_said(tmp_path: Path):
    with somebodys_server(tmp_path, "two-models") as url:
        spec = load_attached(f"{url},kind=llamacpp,model=n")

    assert (spec.name, spec.title, spec.at.model) == ("llamacpp", "llama.cpp", "n")


@pytest.mark.parametrize(
    "text",
    [
        "http://me:pass-word@h:1/v1",
        "https://pass-word@h:1",
        "http://me:pass-word,x@h:1/v1,kind=mlx",
        "http://me:pass-word@h:1,modle=x",
    ],
)
def test_a_login_in_a_url_is_refused_and_not_shown(text: str):
    with pytest.raises(InvalidAttachment, match="has a user or a password in it") as caught:
        find_server(text)

    assert "key=VARIABLE" in caught.value.hint
    assert "pass-word" not in str(caught.value)


def test_server_of_no_known_kind_is_tested_all_the_same(tmp_path: Path):
    with somebodys_server(tmp_path, "two-models") as url:
        spec = load_attached(f"{url},model=n")

    assert spec.name == "other"
    assert f"base_url: {url}" in spec.recipe.settings


def test_several_models_are_listed_for_a_choice(tmp_path: Path):
    with (
        somebodys_server(tmp_path, "two-models") as url,
        pytest.raises(InvalidAttachment, match="lists 2 models: m, n") as caught,
    ):
        find_server(url)

    assert caught.value.hint.endswith("model=NAME")


def test_key_comes_from_the_environment_and_is_never_shown(tmp_path: Path, model: ModelPaths):
    with somebodys_server(tmp_path, "with-key") as url:
        spec = load_attached(f"{url},key=LOCAL_KEY", {"LOCAL_KEY": "secret"})

        with launch(spec, model=model, log=tmp_path / "log") as target:
            assert target.api_key == "secret"
            assert "secret" not in f"{spec!r} {target!r}"


def test_refused_key_is_told_but_not_shown(tmp_path: Path, model: ModelPaths):
    with somebodys_server(tmp_path, "with-key") as url:
        spec = load_attached(f"{url},model=m,kind=vllm,key=WRONG", {"WRONG": "sk-1234"})

        with (
            pytest.raises(NotReady, match=r"HTTP 401: Bearer \[key\]"),
            launch(spec, model=model, log=tmp_path / "log"),
        ):
            pass


def test_nobody_at_the_url_is_told():
    with pytest.raises(CannotReach, match="nothing answers at http:"):
        find_server(f"http://127.0.0.1:{free_port()}")


def test_key_with_a_line_end_is_not_told(
    tmp_path: Path, model: ModelPaths, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("THEIR_KEY", "a-secret-key\n")

    with somebodys_server(tmp_path, "well") as url:
        spec = find_server(f"{url},kind=llamacpp,model=m,key=THEIR_KEY")
        with (
            pytest.raises(NotReady, match="no request can be made of its key") as caught,
            launch(spec, model=model, log=tmp_path / "log"),
        ):
            pass

    assert "a-secret-key" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("http://h:1", Wish("http://h:1/v1")),
        ("http://h:1/v1/", Wish("http://h:1/v1")),
        ("http://[::1]:1", Wish("http://[::1]:1/v1")),
        ("http://h:1,model=org/m@q4", Wish("http://h:1/v1", model="org/m@q4")),
        ("http://h:1/api,model=a=b,kind=mlx", Wish("http://h:1/api", kind="mlx", model="a=b")),
    ],
)
def test_url_and_settings_are_read(text: str, wish: Wish):
    assert parse(text) == wish


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://h/v1", "plain HTTP"),
        ("http:///v1", "no URL"),
        ("http://localhost:port/v1", "'http://localhost:port/v1' is no URL: Invalid port"),
        ("http://localhost:99999/v1", "is no URL: Port out of range"),
        ("http://[::1/v1", "is no URL: "),
        ("http://h,modle=x", "sets 'modle'"),
        ("http://h,key=UNSET_VARIABLE", "UNSET_VARIABLE isn't set"),
    ],
)
def test_what_can_not_be_meant_is_refused(text: str, problem: str):
    with pytest.raises(InvalidAttachment, match=problem):
        find_server(text)
