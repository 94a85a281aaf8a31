"""What --update-expectations writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import catalogue
from conformance.judge import invariant_ids
from conformance.observed import Changes, observed
from reports import Expectation, Layer, Level, Mode, Outcome, Result, cells
from servers import InvalidServerFile, ServerSpec, load_server
from servers.catalog import FOLDER
from tests.reports.sample import a_check, a_report, a_result, results_of

TODAY = date(2026, 11, 22)
CHECK = "tools.parallel-calls"
INVARIANT = "invariants.answered"
KNOWN = """
# Each was asked without the suite between.
expectations:
  # They have no ids.
  - check: tools.parallel-calls
    outcomes: [fail]
    reason: >-
      Two calls share one id: "call_1",
      on each request.
    issue: https://example.invalid/1 # a comment of somebody
    seen_on: b11000
    recheck_by: 2027-01-01
"""


def file(folder: Path, expectations: str) -> str:
    """The text of llama.cpp's file with these expectations."""
    text = (FOLDER / "llamacpp.yaml").read_text()
    head = text[: text.index("\n# Each was seen")]
    (folder / "llamacpp.yaml").write_text(head + expectations)
    return head + expectations


def spec(folder: Path) -> ServerSpec:
    """What that file says."""
    return load_server("llamacpp", folder)


def update(folder: Path, expectations: str, *results: Result, **check: Any) -> Changes:
    """The changes that these results make."""
    text = file(folder, expectations)
    found = cells(a_report(*results, checks=(a_check(**check),)))
    return observed(text, spec(folder), found, TODAY)


def foreseen(*outcomes: Outcome) -> Expectation:
    """As the run found it in the file."""
    return Expectation(outcomes=outcomes, reason="as it is there", recheck_by=TODAY)


def test_what_holds_stays_to_the_letter(tmp_path: Path) -> None:
    seen = results_of(Outcome.FAIL, Outcome.FAIL, expectation=foreseen(Outcome.FAIL))

    changes = update(tmp_path, KNOWN, *seen)

    assert not changes
    assert changes.text == file(tmp_path, KNOWN)


def test_what_holds_no_longer_goes(tmp_path: Path) -> None:
    changes = update(tmp_path, KNOWN, *results_of(Outcome.PASS, Outcome.PASS))

    assert changes.removed == [CHECK]
    kept = file(tmp_path, KNOWN).partition("  # They have")[0]
    assert changes.text == kept.replace("expectations:\n", "expectations: []\n")


def test_what_holds_in_part_is_narrowed_and_keeps_its_reason(tmp_path: Path) -> None:
    whole = {"mode": Mode.WHOLE, "expectation": foreseen(Outcome.FAIL)}
    stream = {"mode": Mode.STREAM, "expectation": foreseen(Outcome.FAIL)}
    seen = [
        a_result(outcome, layer=layer, **told)
        for layer in Layer
        for outcome, told in ((Outcome.PASS, whole), (Outcome.FAIL, stream))
    ]

    changes = update(tmp_path, KNOWN, *seen)

    assert changes.changed == [CHECK]
    assert "\n    modes: [stream]\n    outcomes: [fail]\n    reason: >-\n" in changes.text
    for kept in ("# They have no ids.", '      Two calls share one id: "call_1",\n', "# a comment"):
        assert kept in changes.text


def test_another_outcome_is_taken_over(tmp_path: Path) -> None:
    refused = Outcome.UNSUPPORTED

    changes = update(
        tmp_path, KNOWN, *results_of(refused, refused, expectation=foreseen(Outcome.FAIL))
    )

    assert "    outcomes: [unsupported]\n    reason: >-\n" in changes.text


def test_what_is_new_is_written_to_be_explained(tmp_path: Path) -> None:
    seen = results_of(Outcome.FAIL, Outcome.FAIL, message="assert [] == ['Oslo']\nand more")

    changes = update(tmp_path, "\nexpectations: []\n", *seen)

    assert changes.added == [CHECK]
    assert changes.text.endswith(
        "expectations:\n"
        "  - check: tools.parallel-calls\n"
        "    outcomes: [fail]\n"
        """    reason: "FILL IN: assert [] == ['Oslo'] and more"\n"""
        "    seen_on: 2026.10.11549 (b11549-1a2b3c4)\n"
        "    recheck_by: 2027-02-22\n"
    )


def test_new_one_is_refused_until_it_has_a_reason(tmp_path: Path) -> None:
    changes = update(tmp_path, KNOWN[:0], *results_of(Outcome.FAIL, Outcome.FAIL))
    (tmp_path / "llamacpp.yaml").write_text(changes.text)

    with pytest.raises(InvalidServerFile) as refused:
        spec(tmp_path)

    assert "the reason is still to be written" in refused.value.message


def test_bridged_failure_is_expected_on_the_wire_alone(tmp_path: Path) -> None:
    changes = update(tmp_path, KNOWN[:0], *results_of(Outcome.FAIL, Outcome.PASS))

    assert "    layers: [wire]\n    outcomes: [fail]\n" in changes.text


@pytest.mark.parametrize(
    "seen", [(Outcome.PASS, Outcome.FAIL), (Outcome.ERROR, Outcome.FAIL)], ids=str
)
def test_our_own_faults_are_never_expected(tmp_path: Path, seen: tuple[Outcome, ...]) -> None:
    assert not update(tmp_path, KNOWN.replace("parallel", "other"), *results_of(*seen))


def test_clean_refusal_of_a_should_needs_no_expectation(tmp_path: Path) -> None:
    seen = results_of(Outcome.UNSUPPORTED, Outcome.UNSUPPORTED)

    assert not update(tmp_path, KNOWN[:0], *seen, level=Level.SHOULD)
    assert update(tmp_path, KNOWN[:0], *seen, level=Level.MUST)


def test_invariants_name_the_checks_that_break_them(tmp_path: Path) -> None:
    seen = [
        a_result(outcome, case=case)
        for case, outcome in (
            ("tools.a", Outcome.FAIL),
            ("tools.b", Outcome.PASS),
            ("tools.c", Outcome.FAIL),
        )
    ]

    changes = update(tmp_path, KNOWN[:0], *seen)

    assert "    during: [tools.a, tools.c]\n    outcomes: [fail]\n" in changes.text


def test_other_checks_are_left_alone(tmp_path: Path) -> None:
    changes = update(
        tmp_path,
        KNOWN.replace("parallel-calls", "strict"),
        *results_of(Outcome.PASS, Outcome.PASS),
    )

    assert not changes


def test_other_versions_are_left_alone(tmp_path: Path) -> None:
    older = KNOWN.replace("outcomes:", 'versions: "<2026.10"\n    outcomes:')

    assert not update(tmp_path, older, *results_of(Outcome.PASS, Outcome.PASS))


def watched(outcome: Outcome, *cases: str) -> list[Result]:
    """What an invariant came to while checks ran, on the wire alone."""
    known = foreseen(Outcome.FAIL)
    return [
        a_result(outcome, check=INVARIANT, case=case, mode=mode, expectation=known)
        for case in cases
        for mode in Mode
    ]


def bodies() -> list[Result]:
    """Passes of all that can be asked."""
    rows = [row for row in catalogue().values() if row.id not in invariant_ids()]
    return [
        a_result(check=row.id, layer=layer, mode=mode)
        for row in rows
        for layer in row.layers
        for mode in row.modes
    ]


def update_invariant(folder: Path, during: str, *results: Result) -> Changes:
    """The changes that a run makes of what is known of an invariant."""
    known = KNOWN.replace(CHECK, f"{INVARIANT}\n    layers: [wire]{during}")
    text = file(folder, known)
    found = cells(a_report(*results, checks=tuple(catalogue().values())))
    return observed(text, spec(folder), found, TODAY)


def test_invariant_is_still_expected_of_checks_that_were_not_asked(tmp_path: Path) -> None:
    during = "\n    during: [text.plain, text.stop, text.unicode]"
    passed, failed = Outcome.PASS, Outcome.FAIL

    gone = update_invariant(tmp_path, during, *watched(passed, "text.plain"))
    part = [*watched(passed, "text.plain"), *watched(failed, "text.stop")]
    narrowed = update_invariant(tmp_path, during, *part)

    assert gone.changed == narrowed.changed == [INVARIANT]
    assert "    layers: [wire]\n    during: [text.stop, text.unicode]\n" in gone.text
    assert narrowed.text == gone.text


def test_other_outcome_says_nothing_of_checks_that_were_not_asked(tmp_path: Path) -> None:
    during = "\n    during: [text.plain, text.stop]"

    changes = update_invariant(tmp_path, during, *watched(Outcome.INCONCLUSIVE, "text.plain"))

    assert "    during: [text.plain]\n    outcomes: [inconclusive]\n" in changes.text
    assert "    during: [text.stop]\n    outcomes: [fail]\n" in changes.text


def test_invariant_is_known_to_hold_when_everything_was_asked(tmp_path: Path) -> None:
    during = "\n    during: [text.plain, text.stop]"
    seen = watched(Outcome.PASS, "text.plain")

    assert not update_invariant(tmp_path, "", *seen, *bodies()[1:])
    assert update_invariant(tmp_path, "", *seen, *bodies()).removed == [INVARIANT]
    assert update_invariant(tmp_path, during, *seen, *bodies()).removed == [INVARIANT]


def test_check_that_was_asked_in_part_is_left_alone(tmp_path: Path) -> None:
    whole = [a_result(Outcome.PASS, layer=layer) for layer in Layer]

    assert not update(tmp_path, KNOWN, *whole)
    assert update(tmp_path, KNOWN.replace("outcomes:", "modes: [whole]\n    outcomes:"), *whole)


def test_narrowed_expectation_says_no_more_than_before(tmp_path: Path) -> None:
    known = KNOWN.replace("outcomes:", "layers: [wire]\n    outcomes:")
    expected = foreseen(Outcome.FAIL)
    seen = [
        a_result(Outcome.FAIL, mode=Mode.WHOLE, expectation=expected),
        a_result(Outcome.PASS, mode=Mode.STREAM, expectation=expected),
        *(a_result(Outcome.PASS, layer=Layer.PROVIDER, mode=mode) for mode in Mode),
    ]

    changes = update(tmp_path, known, *seen)

    assert "    layers: [wire]\n    modes: [whole]\n    outcomes: [fail]\n" in changes.text


def test_what_follows_the_expectations_stays(tmp_path: Path) -> None:
    behind = "\n# What its makers say.\nlicence: MIT\n"
    text = file(tmp_path, KNOWN).replace("licence: MIT\n", "") + behind

    found = cells(a_report(*results_of(Outcome.FAIL, Outcome.FAIL), checks=(a_check(),)))
    changes = observed(text.replace(CHECK, "tools.strict"), spec(tmp_path), found, TODAY)

    assert changes.text.endswith(behind)


def test_file_without_an_expectation_can_be_loaded(tmp_path: Path) -> None:
    changes = update(tmp_path, KNOWN, *results_of(Outcome.PASS, Outcome.PASS))
    (tmp_path / "llamacpp.yaml").write_text(changes.text)

    assert spec(tmp_path).expectations == []


def test_what_the_suite_failed_to_judge_stays(tmp_path: Path) -> None:
    known = foreseen(Outcome.FAIL)
    stream = {"mode": Mode.STREAM, "expectation": known}
    seen = [
        *(a_result(layer=layer, mode=Mode.WHOLE, expectation=known) for layer in Layer),
        a_result(Outcome.FAIL, layer=Layer.WIRE, **stream),
        a_result(Outcome.ERROR, layer=Layer.PROVIDER, **stream),
    ]

    assert not update(tmp_path, KNOWN, *seen)


def test_new_expectation_leaves_out_what_the_module_fails(tmp_path: Path) -> None:
    seen = [
        *(a_result(Outcome.FAIL, layer=layer, mode=Mode.WHOLE) for layer in Layer),
        a_result(layer=Layer.WIRE, mode=Mode.STREAM),
        a_result(Outcome.FAIL, layer=Layer.PROVIDER, mode=Mode.STREAM),
    ]

    changes = update(tmp_path, "\nexpectations: []\n", *seen)

    assert changes.added == [CHECK]
    assert "    modes: [whole]\n" in changes.text


def test_dash_in_a_comment_is_no_item(tmp_path: Path) -> None:
    known = KNOWN.replace("# They have no ids.", "# See there - it has no ids.")
    seen = [
        a_result(outcome, layer=layer, mode=mode, expectation=foreseen(Outcome.FAIL))
        for layer in Layer
        for mode, outcome in ((Mode.WHOLE, Outcome.PASS), (Mode.STREAM, Outcome.FAIL))
    ]

    changes = update(tmp_path, known, *seen)

    assert "\n  # See there - it has no ids.\n  - check: tools.parallel-calls\n" in changes.text
