"""The short table of a README is rewritten in place, between its markers."""

from pathlib import Path

import pytest

from reports.errors import UnmarkedFile
from reports.model import Absent
from reports.readme import BEGIN, END, rewrite, table
from reports.words import Layer, Outcome
from tests.reports.sample import a_check, a_report, a_result, an_expectation, results_of


def test_a_cell_counts_both_layers():
    shown = table(
        a_report(
            *results_of(Outcome.FAIL, Outcome.PASS),
            checks=(a_check(), a_check("tools.wire-only", layers=(Layer.WIRE,))),
        )
    )

    assert "| tools | ✘ 0/2 / ✔ 1/1 |" in shown


def test_a_chapter_without_a_layer_counts_nothing():
    shown = table(a_report(a_result(), checks=(a_check(layers=(Layer.WIRE,)),)))

    assert "/ – |" in shown


def test_columns_carry_the_release():
    assert "| llamacpp 2026.10.11549 (b11549-1a2b3c4) |" in table(a_report())


def test_footnotes_and_absent_servers_stand_below():
    absent = Absent(server="lmstudio", title="LM Studio", reason="needs a desktop")
    report = a_report(
        *results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation()), absent=(absent,)
    )

    shown = table(report)

    assert "✘ 0/1 / ✘ 0/1 (1) |" in shown
    assert "Known divergences: 1</summary>\n\n(1) named tool choice is read as auto" in shown
    assert "\n\nLM Studio: not run here: needs a desktop." in shown


def test_a_run_that_is_incomplete_says_so_below():
    shown = table(a_report(incomplete=("The run did not finish.",)))

    assert "\n\n**Incomplete:** The run did not finish." in shown
    assert "Incomplete" not in table(a_report())


def test_footnotes_may_stand_elsewhere_under_the_same_numbers():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation()))

    shown = table(report, "all/report.md")

    assert shown.endswith("The numbers are [known divergences](all/report.md).")
    assert "✘ 0/1 (1) |" in shown


def test_an_expectation_that_no_longer_holds_is_no_footnote():
    report = a_report(*results_of(Outcome.PASS, Outcome.PASS, expectation=an_expectation()))

    assert "(1)" not in table(report)


def test_only_what_is_between_the_markers_changes(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nMore.\n")

    rewrite(readme, a_report())

    text = readme.read_text()
    assert text.startswith(f"# Title\n\n{BEGIN}\n| wire / provider |")
    assert text.endswith(f"{END}\n\nMore.\n")
    assert "old" not in text


def test_rewriting_twice_changes_nothing(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    rewrite(readme, a_report())
    once = readme.read_bytes()

    rewrite(readme, a_report())

    assert readme.read_bytes() == once


def test_a_file_without_markers_is_left_alone(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text(f"{END}\n{BEGIN}\n")

    with pytest.raises(UnmarkedFile):
        rewrite(readme, a_report())

    assert readme.read_text() == f"{END}\n{BEGIN}\n"


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(UnmarkedFile, match="No such file"):
        rewrite(tmp_path / "none.md", a_report())
