"""Recipes say which setting works best, and show why."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conformance.recommend import ASPECTS, best, main, tried, with_evidence
from reports import Outcome, cells
from servers import load_server
from servers.catalog import FOLDER
from servers.spec import Tried
from tests.reports.sample import a_check, a_report, a_target, results_of


def row(setting: object, passes: int) -> Tried:
    """What a run with this setting told."""
    told = {"use_responses_api": setting, "seen_on": "b1", "passed": {"tools": f"{passes}/40"}}
    return Tried.model_validate(told)


def test_passes_of_the_provider_layer_are_counted_by_aspect() -> None:
    check = a_check("tools.parallel-calls")
    target = a_target(protocol="responses", build="b1")
    report = a_report(*results_of(Outcome.FAIL, Outcome.PASS), checks=(check,), targets=(target,))

    found = tried(cells(report))

    assert found.use_responses_api is True
    assert found.seen_on == target.release
    assert found.passed == dict.fromkeys(ASPECTS, "0/0") | {"tools": "2/2"}


def test_the_best_passes_most_and_then_asks_least() -> None:
    assert best([row(False, 30), row(True, 31)]).use_responses_api is True  # noqa: FBT003
    assert best([row("auto", 30), row(True, 30)]).use_responses_api == "auto"  # noqa: FBT003
    assert best([row(True, 30), row(False, 30)]).use_responses_api is False  # noqa: FBT003


def test_evidence_is_all_that_changes_in_a_file() -> None:
    text = (FOLDER / "llamacpp.yaml").read_text()

    written = with_evidence(text, [row(False, 30)])  # noqa: FBT003

    before, after = yaml.safe_load(text), yaml.safe_load(written)
    assert after["recipe"].pop("tried") == [
        {"use_responses_api": False, "seen_on": "b1", "passed": {"tools": "30/40"}}
    ]
    before["recipe"].pop("tried", None)
    assert after == before


def test_one_protocol_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [tmp_path / "chat", tmp_path / "again"]
    report = a_report(*results_of(Outcome.PASS, Outcome.PASS))
    for run in runs:
        run.mkdir()
        (run / "report.json").write_text(report.model_dump_json())
    monkeypatch.setattr("sys.argv", ["recommend", *map(str, runs)])

    with pytest.raises(SystemExit) as stopped:
        main()

    assert stopped.value.code == 2
    assert "chat completions twice" in capsys.readouterr().err


@pytest.mark.parametrize("server", ["llamacpp", "mlx", "vllm"])
def test_recipes_recommend_what_was_tried_and_is_best(server: str) -> None:
    recipe = load_server(server).recipe
    settings = yaml.safe_load(recipe.settings)["config"]["providers"][0]["config"]

    assert {one.use_responses_api for one in recipe.tried} >= {False, True}
    assert settings["use_responses_api"] == best(recipe.tried).use_responses_api
