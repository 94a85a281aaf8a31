"""What the command line answers without starting a server."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from conformance.catalogue import catalogue
from conformance.options import target_ids
from tests.conformance.start import run


def test_list_holds_every_check() -> None:
    status, output = run("--list-checks")

    assert status == 0
    for row in catalogue().values():
        assert f"{row.id} " in output
    assert f"{len(catalogue())} checks" in output


def test_list_is_as_chosen() -> None:
    _, output = run("--list-checks", "--checks", "text.* and MUST")

    assert "text.plain" in output
    assert "tools.single-call" not in output


def test_explanation_says_all_of_one_check() -> None:
    status, output = run("--explain", "text.stop")

    row = catalogue()["text.stop"]
    assert status == 0
    words = " ".join(output.split())
    for part in (row.title, row.link, row.level, f'"{row.requirement}"', row.why):
        assert part in words
    assert f"For the server's maintainers {row.remedy} For you {row.for_users}" in words


def test_explanation_tells_our_own_words_from_a_quotation() -> None:
    _, output = run("--explain", "errors.no-model")

    row = catalogue()["errors.no-model"]
    assert f"requires {row.requirement}\n  after    {row.link}" in output


URL = "http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ([f"{URL},model=A/B,key=K"], ["127.0.0.1-1-v1"]),
        (
            ["vllm@0.31.0", "llamacpp,how=container,image=a:1"],
            ["vllm-0.31.0", "llamacpp-container"],
        ),
        (["llamacpp", "llamacpp"], ["llamacpp"]),
        (
            [f"{URL},model=A/B", f"{URL},model=c", URL],
            ["127.0.0.1-1-v1-model-a-b", "127.0.0.1-1-v1-model-c", "127.0.0.1-1-v1"],
        ),
        (
            [f"{URL},model=m", f"{URL},model=/home/me/.cache/{'x' * 40}/A..B.gguf"],
            ["127.0.0.1-1-v1-model-m", f"127.0.0.1-1-v1-{'x' * 31}-a-b.gguf"],
        ),
        (
            ["llamacpp,how=container", "llamacpp,how=container,image=a:1"],
            ["llamacpp-container", "llamacpp-container-image-a-1"],
        ),
    ],
)
def test_targets_have_ids_of_their_own(asked: list[str], ids: list[str]) -> None:
    config = SimpleNamespace(getoption={"--server": asked, "--instance": None}.get)

    assert target_ids(cast("pytest.Config", config)) == ids


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "text.stpo"], "did you mean 'text.stop'?"),
        (["--server=llamacpp", "--checks", "txt.*"], "chooses no check"),
        (["--server=llamacpp", "--checks", "(text.*"], "a closing parenthesis is missing"),
        (["--server=nosuch"], "there is no server 'nosuch'"),
        (["--server=llamacpp", "--fault=burn:1"], "'burn:1' is no fault"),
        (["--server=llamacpp", "--report-dir=/dev/null/there"], "can't write /dev/null/there"),
        (["--settings=~/no.yaml", "--instance=a"], f"{Path.home() / 'no.yaml'} can't be read"),
        (["--server=llamacpp", "--model=~/no.gguf"], f"no model at {Path.home() / 'no.gguf'}"),
        (["--settings=settings.yaml"], "--settings FILE and --instance NAME go together"),
        (["--server=http://localhost:port/v1"], "'http://localhost:port/v1' is no URL"),
        (["--server=llamacpp", "--checks=invariants.*"], "judged while other checks run"),
        (["--server=http://h/v1,model=M", "--server=http://h/v1,model=m"], "be told apart"),
        (["--server=llamacpp", "--settings=a", "--instance=llamacpp"], "be told apart"),
        (
            ["--server=llamacpp", "--provider-config=use_responses_api=maybe"],
            "use_responses_api is 'maybe'",
        ),
    ],
)
def test_what_cant_be_meant_is_refused_in_a_sentence(arguments: list[str], said: str) -> None:
    status, output = run(*arguments)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert said in output
    assert "Traceback" not in output
