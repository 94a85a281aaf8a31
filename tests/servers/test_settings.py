"""An entry of a person's Amplifier settings is put to the test just as it stands."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import InvalidInstance, InvalidServerFile, ModelPaths, launch, load_instance
from servers.port import free_port
from servers.process import running
from tests.servers.conftest import STAND_IN

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
        max_tokens: 64
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Path]:
    """A settings.yaml whose entry `local` points to a server that runs and wants a key."""
    port = free_port()
    log = tmp_path / "their-log"
    with running([sys.executable, str(STAND_IN), str(port), "with-key"], env={}, log=log):
        while "listening" not in log.read_text():
            pass
        file = tmp_path / "settings.yaml"
        file.write_text(SETTINGS.format(url=f"http://127.0.0.1:{port}/v1"))
        yield file


def test_entry_gives_url_key_model_and_config(settings: Path, model: ModelPaths, tmp_path: Path):
    spec = load_instance(settings, "local", {"LOCAL_KEY": "secret"})

    with launch(spec, model=model, log=tmp_path / "log") as target:
        assert (target.server, target.model, target.api_key) == ("vllm", "m", "secret")
        assert spec.config["max_tokens"] == 64
        assert "secret" not in repr(spec)


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
