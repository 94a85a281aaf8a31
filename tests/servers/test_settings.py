"""An entry of a person's Amplifier settings is put to the test just as it stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import (
    InvalidInstance,
    InvalidServerFile,
    ModelPaths,
    NotReady,
    launch,
    load_instance,
)
from tests.servers.test_attach import somebodys_server

ENTRY = """\
config:
  providers:
    - id: local
      module: provider-openai
      config: {{base_url: "{url}", default_model: m}}
"""
SETTINGS = """\
config:
  providers:
    - module: provider-openai
      config: {{api_key: "${{OPENAI_API_KEY}}"}}
    - id: local
      module: provider-openai
      config:
        base_url: {url}/
        api_key: ${{LOCAL_KEY}}
        default_model: ${{UNSET}}
        max_tokens: ${{UNSET:64}}
        extra_request_params: {{user: "${{USER_OF_MINE}}", stop: ["${{UNSET:END}}"]}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Path]:
    """A settings.yaml whose entry `local` points to a server that runs and wants a key."""
    with somebodys_server(tmp_path, "with-key") as url:
        file = tmp_path / "settings.yaml"
        file.write_text(SETTINGS.format(url=url))
        yield file


def test_entry_gives_url_key_model_and_config(settings: Path, model: ModelPaths, tmp_path: Path):
    spec = load_instance(settings, "local", {"LOCAL_KEY": "secret"})

    with launch(spec, model=model, log=tmp_path / "log") as target:
        assert (target.server, target.model, target.api_key) == ("vllm", "m", "secret")
        assert spec.config["base_url"] == spec.at.url == target.url
        assert "secret" not in repr(spec)


def test_variables_are_filled_in_as_amplifier_does_it(settings: Path):
    environ = {"LOCAL_KEY": "secret", "USER_OF_MINE": "ana"}

    config = load_instance(settings, "local", environ).config

    assert config["max_tokens"] == "64"
    assert config["extra_request_params"] == {"user": "ana", "stop": ["END"]}
    assert config["default_model"] == ""


def test_base_url_of_an_entry_stays_as_it_is(model: ModelPaths, tmp_path: Path):
    with somebodys_server(tmp_path, "well") as url:
        root = url.removesuffix("/v1")
        spec = load_instance(entry(tmp_path, f"{root}/"), "local")

        with launch(spec, model=model, log=tmp_path / "log") as target:
            assert (spec.config["base_url"], target.url) == (root, url)


def test_entry_that_amplifier_would_get_no_answer_from_is_told(model: ModelPaths, tmp_path: Path):
    with somebodys_server(tmp_path, "only-v1") as url:
        root = url.removesuffix("/v1")
        spec = load_instance(entry(tmp_path, root), "local")

        with (
            pytest.raises(NotReady, match=f"{root} gives no chat completion: HTTP 404") as caught,
            launch(spec, model=model, log=tmp_path / "log"),
        ):
            pass

    assert f"{url} does" in caught.value.message
    assert caught.value.hint == f"write base_url: {url}"


def entry(folder: Path, url: str) -> Path:
    """A settings.yaml with an entry `local` that says no more than it has to."""
    file = folder / "settings.yaml"
    file.write_text(ENTRY.format(url=url))
    return file


def test_entry_without_a_base_url_is_refused(settings: Path):
    with pytest.raises(InvalidInstance, match="'openai' has no base_url"):
        load_instance(settings, "openai")


@pytest.mark.parametrize("text", ["[1]", "config: 1", "config: {providers: {a: b}}", "providers"])
def test_file_that_is_no_settings_file_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "settings.yaml"
    file.write_text(text)

    with pytest.raises(InvalidInstance):
        load_instance(file, "local")


def test_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(InvalidInstance, match=r"none\.yaml can't be read: No such file"):
        load_instance(tmp_path / "none.yaml", "local")


def test_broken_settings_are_told_with_the_line(tmp_path: Path):
    file = tmp_path / "settings.yaml"
    file.write_text("config:\n  providers: [\n")

    with pytest.raises(InvalidServerFile) as caught:
        load_instance(file, "local")

    assert caught.value.line == 3
