"""Any provider module can be put under test: installed, or as a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.module import CannotLoad, Module, find_module, secrets_in
from tests.conformance.start import ROOT, run

MODULE = ROOT / "amplifier-module-provider-openai"
PYPROJECT = """\
[project]
name = "amplifier-module-provider-mine"
version = "{version}"
[project.entry-points."amplifier.modules"]
{name} = "amplifier_module_provider_mine:mount"
"""
MOUNT = """\
from amplifier_module_provider_openai import OpenAIProvider

async def mount(coordinator, config=None):
    await coordinator.mount("providers", OpenAIProvider(config=config), name="mine")
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a module of one's own, outside of what is installed."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    package = tmp_path / "amplifier_module_provider_mine"
    package.mkdir()
    (package / "__init__.py").write_text(MOUNT)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(version="7.1", name="provider-mine"))
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    who = ("-c", "user.name=A", "-c", "user.email=a@example.invalid")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_checkout_is_named_with_version_and_commit(checkout: Path) -> None:
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "first")
    commit = git(checkout, "rev-parse", "--short=12", "HEAD")

    clean = find_module(str(checkout))
    (checkout / "pyproject.toml").touch()
    (checkout / "more.py").write_text("")
    changed = find_module(str(checkout))

    assert str(clean) == f"provider-mine 7.1 (commit {commit})"
    assert str(changed) == f"provider-mine 7.1 (commit {commit} with changes)"


def test_checkout_outside_of_git_has_no_commit(checkout: Path) -> None:
    assert str(find_module(str(checkout))) == "provider-mine 7.1"


def test_checkout_without_a_pyproject_is_named_by_its_package(checkout: Path) -> None:
    (checkout / "pyproject.toml").unlink()

    assert find_module(str(checkout)) == Module("provider-mine")


def test_missing_dependency_is_named_with_the_command_that_installs_it(checkout: Path) -> None:
    (checkout / "amplifier_module_provider_mine/__init__.py").write_text("import no_such_thing\n")

    with pytest.raises(CannotLoad, match="needs the package 'no_such_thing'") as caught:
        find_module(str(checkout)).load()

    assert caught.value.hint.endswith(f"install -e {checkout}")


def test_module_that_breaks_on_import_is_told(checkout: Path) -> None:
    (checkout / "amplifier_module_provider_mine/__init__.py").write_text("1 / 0\n")

    with pytest.raises(CannotLoad, match="can't be imported: ZeroDivisionError"):
        find_module(str(checkout)).load()


def test_folder_without_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match="must hold one package amplifier_module_\\*"):
        find_module(str(tmp_path))


def test_unknown_module_is_answered_with_those_there_are() -> None:
    with pytest.raises(CannotLoad, match=r"no Amplifier module 'provider-opnai'.*provider-openai"):
        find_module("provider-opnai")


def test_settings_are_read_as_yaml() -> None:
    settings = ["max_tokens=64", "reasoning_effort=low", "extra_request_params={top_k: 1}", "a="]

    config = find_module("provider-openai", settings).config

    assert config == {
        "max_tokens": 64,
        "reasoning_effort": "low",
        "extra_request_params": {"top_k": 1},
        "a": None,
    }


@pytest.mark.parametrize("setting", ["max_tokens", "=4", "base_url=http://h", "api_key=sk-1"])
def test_settings_that_can_not_be_meant_are_refused(setting: str) -> None:
    with pytest.raises(CannotLoad):
        find_module("provider-openai", [setting])


def test_secrets_are_not_told() -> None:
    settings = {
        "azure_ad_token": "eyJhbGciOi",
        "max_tokens": 64,
        "prompt_cache_key": "mine",
        "extra": {"top_k": 1, "client_secret": "abc", "headers": [{"Authorization": "xyz"}]},
        "password": None,
    }
    module = Module("provider-mine", "1", config=settings)

    assert str(module) == (
        "provider-mine 1, azure_ad_token=[redacted], max_tokens=64, prompt_cache_key=mine, "
        "extra={'top_k': 1, 'client_secret': '[redacted]', 'headers': "
        "[{'Authorization': '[redacted]'}]}, password=None"
    )
    assert "eyJ" not in repr(module)
    assert list(secrets_in(settings)) == ["eyJhbGciOi", "abc", "xyz"]


def test_secret_of_the_configuration_reaches_no_file(tmp_path: Path) -> None:
    chosen = ["--checks=text.plain", "--provider-config=azure_ad_token=tiger river lamp"]

    status, output = run("--server=llamacpp", f"--report-dir={tmp_path}", *chosen)

    assert status == 0
    written = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert not [text for text in [output, *written] if "tiger river lamp" in text]
    assert "azure_ad_token=[redacted]" in output


@pytest.mark.parametrize("processes", [[], ["-n2"]])
def test_module_that_can_not_be_loaded_ends_the_run_in_a_sentence(
    checkout: Path, tmp_path: Path, processes: list[str]
) -> None:
    (checkout / "amplifier_module_provider_mine/__init__.py").write_text("1 / 0\n")

    status, output = run(
        "--server=llamacpp", f"--report-dir={tmp_path}/report", f"--provider={checkout}", *processes
    )

    assert status == 4
    assert "can't be imported: ZeroDivisionError" in output
    assert "hint: mend the module" in output
    assert "Traceback" not in output


def test_checkout_takes_the_place_of_what_is_installed(checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    chosen = [f"--provider={checkout}", "--provider-config=max_tokens=64"]

    status, output = run(
        "--server=llamacpp", "--checks=text.plain", f"--report-dir={folder}", *chosen
    )

    assert status == 0
    assert "conformance: provider-mine 7.1, max_tokens=64, report in" in output
    assert '"provider":"provider-mine 7.1, max_tokens=64"' in (folder / "journal.jsonl").read_text()
