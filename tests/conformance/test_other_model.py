"""A server that somebody started with a model of theirs is not blamed for what that model says."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from conformance.catalogue import catalogue, own_model_checks
from conformance.other_model import excused, serves_own
from conformance.outcome import Malformed, NotAnswered, outcome_of
from conformance.sse import StreamBroken
from fixtures.model.files import tiny_model
from reports import Outcome, Owner, Report, Verdict, cells, load
from servers import ModelPaths, ServerSpec, Target, find_server, launch
from tests.conformance.start import run
from tests.reports.sample import a_result

#: Exit status, output and report.
Run: TypeAlias = tuple[int, str, Report]

#: Something of everything that a model can get wrong.
CHOSEN = (
    "text.* or errors.* or events.* or fields.* or session.* or limits.* or streaming.done "
    "or fallback.missing-route or failures.cut or responses.incomplete or structure.json-schema "
    "or structure.cut or tools.single-call or tools.choice-named or tools.choice-none "
    "or tools.parallel-off or tools.cut-call"
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says anything: the tiny one, three quarters of it reversed."""
    folder = tmp_path_factory.mktemp("babbler")
    data = tiny_model().gguf.read_bytes()
    words = array("I", data[-(len(data) * 3 // 16 * 4) :])
    words.reverse()
    spoilt = folder / "babbler.gguf"
    spoilt.write_bytes(data[: -len(words) * 4] + words.tobytes())
    return spoilt


@pytest.fixture(scope="module")
def babbler(weights: Path, spec: ServerSpec) -> Iterator[Target]:
    """llama.cpp with it, started by somebody."""
    model = ModelPaths("babbler", weights, weights.parent, "")
    with launch(spec, model=model, log=weights.parent / "log") as target:
        yield target


@pytest.fixture(scope="module")
def report(babbler: Target, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on it."""
    folder = tmp_path_factory.mktemp("report")
    status, output = run(f"--server={babbler.url}", f"--report-dir={folder}", "--checks", CHOSEN)
    return status, output, load(folder / "report.json")


def test_what_another_model_says_reddens_no_gate(report: Run) -> None:
    status, output, found = report

    left_out = [cell for cell in cells(found) if cell.verdict is Verdict.INCONCLUSIVE]
    assert status == 0, output
    assert {cell.check.id for cell in left_out} <= own_model_checks()
    assert "text.plain" in {cell.check.id for cell in left_out}
    assert {cell.owner for cell in left_out} == {Owner.MODEL}
    assert "the model babbler is not the suite's own" in left_out[0].expectations[0].reason


def test_what_no_model_can_be_the_cause_of_is_judged_as_ever(report: Run) -> None:
    verdicts = {cell.check.id: cell.verdict for cell in cells(report[2])}

    assert verdicts["errors.no-messages"] is Verdict.SERVER
    assert verdicts["streaming.done"] is Verdict.WORKS
    assert {one for one in verdicts if one.startswith("invariants.")}


def test_own_model_is_known_by_what_it_says(target: Target, babbler: Target) -> None:
    theirs = find_server(f"{target.url},kind=llamacpp")
    log = Path("unused")

    with launch(theirs, model=ModelPaths("m", log, log, ""), log=log) as attached:
        attached.model = "by another name"
        assert serves_own(attached, tiny_model())
    babbler.how = "attach"
    assert not serves_own(babbler, tiny_model())


@pytest.mark.parametrize(
    ("error", "outcome", "owner"),
    [
        (AssertionError("assert 'a lion' == 'tiger'"), Outcome.INCONCLUSIVE, Owner.MODEL),
        (Malformed("not a Completion: id: missing"), Outcome.FAIL, None),
        (StreamBroken("the stream ended inside an event"), Outcome.FAIL, None),
        (NotAnswered("HTTP 500"), Outcome.FAIL, None),
    ],
    ids=["words", "body", "stream", "no answer"],
)
def test_only_words_are_put_down_to_the_model(
    error: Exception, outcome: Outcome, owner: Owner | None
) -> None:
    result = a_result(outcome_of(error), check="text.plain")

    seen = excused(result, error, "babbler")

    assert (seen.outcome, seen.owner) == (outcome, owner)
    assert seen.expectation is None or seen.expectation.recheck_by is None


@pytest.mark.parametrize(
    ("invariant", "fault", "owner"),
    [
        ("invariants.offered-names", AssertionError("called ['get_wether']"), Owner.MODEL),
        ("invariants.arguments-object", AssertionError("arguments are no object"), Owner.MODEL),
        ("invariants.tokens-told", AssertionError("9 tokens, but nothing"), Owner.MODEL),
        ("invariants.tokens-told", Malformed("3 and 4 are not 8"), None),
        ("invariants.call-ids", AssertionError("two calls with one id"), None),
    ],
)
@pytest.mark.parametrize("case", ["text.plain", "errors.no-messages"])
def test_names_and_arguments_are_the_models_own(
    invariant: str, fault: Exception, owner: Owner | None, case: str
) -> None:
    result = a_result(Outcome.FAIL, check=invariant, case=case)

    seen = excused(result, fault, "babbler")

    assert seen.owner == owner
    assert seen.outcome is (Outcome.INCONCLUSIVE if owner else Outcome.FAIL)


@pytest.mark.parametrize(
    ("case", "outcome"), [("events.blocks", Outcome.INCONCLUSIVE), ("text.plain", Outcome.FAIL)]
)
def test_markup_is_judged_where_the_wire_has_its_say(case: str, outcome: Outcome) -> None:
    fault = AssertionError("markup of the template in the text: '</think>'")
    result = a_result(Outcome.FAIL, check="invariants.no-markup", case=case)

    assert excused(result, fault, "babbler").outcome is outcome


def test_nothing_that_is_seen_without_words_is_left_out() -> None:
    assert own_model_checks() < set(catalogue())
    assert not [check for check in own_model_checks() if check.startswith("invariants.")]


def test_model_of_ones_own_is_served_and_excused_alike(weights: Path, tmp_path: Path) -> None:
    chosen = "text.plain or streaming.done or errors.no-messages"

    status, output = run(
        *("--server=llamacpp", f"--model={weights}", f"--checks={chosen}"),
        f"--report-dir={tmp_path}",
    )

    found = {cell.check.id: cell for cell in cells(load(tmp_path / "report.json"))}
    assert status == 0
    assert "model babbler" in output
    assert found["text.plain"].owner is Owner.MODEL
    assert found["streaming.done"].verdict is Verdict.WORKS
    assert found["errors.no-messages"].verdict is Verdict.SERVER
    assert "invariants.modes-agree" not in found


@pytest.mark.parametrize(
    ("server", "model", "said"),
    [
        ("llamacpp", "nowhere.gguf", "There is no model at nowhere.gguf"),
        ("llamacpp", "tests", "The folder tests holds no model"),
        ("llamacpp", "fixtures/model/weights/safetensors", "llama.cpp serves a GGUF file"),
        ("mlx", "fixtures/model/weights/tiny.gguf", "MLX serves a Hugging Face folder"),
        ("http://127.0.0.1:1/v1,model=m", "fixtures/model/weights/tiny.gguf", "that are started"),
    ],
)
def test_model_that_cant_be_served_is_refused(server: str, model: str, said: str) -> None:
    status, output = run(f"--server={server}", f"--model={model}")

    assert status == pytest.ExitCode.USAGE_ERROR
    assert said in output
