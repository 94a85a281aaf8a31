"""Servers are known by their YAML files, and a mistake in one is named with its line."""

from pathlib import Path

import pytest

from servers import InvalidServerFile, UnknownRelease, UnknownServer, list_servers, load_server
from servers.catalog import FOLDER


def changed(tmp_path: Path, old: str, new: str) -> tuple[Path, int]:
    """llamacpp.yaml with one thing changed, and the line on which it is."""
    text = (FOLDER / "llamacpp.yaml").read_text()
    assert old in text
    (tmp_path / "llamacpp.yaml").write_text(text.replace(old, new, 1))
    return tmp_path, text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("name", list_servers())
def test_every_server_file_is_valid(name: str):
    spec = load_server(name)

    assert spec.name == name
    assert "module: provider-openai" in spec.recipe.settings


def test_unknown_server_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownServer) as caught:
        load_server("LlamaCp")

    assert caught.value.message == "there is no server 'LlamaCp'"
    assert "did you mean 'llamacpp'?" in caught.value.hint


def test_misspelt_key_is_named_with_file_line_and_correction(tmp_path: Path):
    folder, line = changed(tmp_path, "licence: MIT", "license: MIT")

    with pytest.raises(InvalidServerFile) as caught:
        load_server("llamacpp", folder)

    assert caught.value.message == f"{folder}/llamacpp.yaml:{line}: license: no such key"
    assert caught.value.hint == "did you mean 'licence'?"


def test_misspelt_key_deep_in_the_file_is_found(tmp_path: Path):
    folder, line = changed(tmp_path, 'flag: "n_ctx=8192", why:', 'flag: "n_ctx=8192", wy:')

    with pytest.raises(InvalidServerFile) as caught:
        load_server("llamacpp", folder)

    assert (caught.value.line, caught.value.key) == (line, "native.flags.3.wy")


def test_missing_key_is_named(tmp_path: Path):
    folder, _ = changed(tmp_path, "title: llama.cpp\n", "")

    with pytest.raises(InvalidServerFile, match=r"title: this key is missing"):
        load_server("llamacpp", folder)


def test_broken_yaml_is_named_with_its_line(tmp_path: Path):
    folder, line = changed(tmp_path, "licence: MIT", "licence: [MIT")

    with pytest.raises(InvalidServerFile) as caught:
        load_server("llamacpp", folder)

    assert caught.value.line == line + 1


def test_expectation_needs_a_version_range_that_can_be_read(tmp_path: Path):
    row = (
        "expectations:\n  - {check: a.b, outcomes: [fail], versions: newer, "
        "reason: it always did this, recheck_by: 2027-03-01}\n"
    )
    folder, line = changed(tmp_path, "expectations:\n", row)

    with pytest.raises(InvalidServerFile) as caught:
        load_server("llamacpp", folder)

    assert caught.value.line == line + 1
    assert "not a version range" in caught.value.message


@pytest.mark.parametrize(
    ("name", "version", "build"),
    [
        ("llamacpp", "2026.10.11549", "b11549"),
        ("llamacpp@b11063", "2026.9.11063", "b11063"),
        ("llamacpp@2026.9.11063", "2026.9.11063", "b11063"),
        ("vllm@0.31.0", "0.31.0", ""),
    ],
)
def test_release_is_chosen_by_version_or_build(name: str, version: str, build: str):
    native = load_server(name).native

    assert native is not None
    first = native.releases[0]
    assert (first.version, first.build) == (version, build)


def test_build_that_no_release_has_is_refused_with_those_there_are():
    with pytest.raises(UnknownRelease, match="b1' is not known") as caught:
        load_server("llamacpp@b1")

    assert "b11549" in caught.value.hint
