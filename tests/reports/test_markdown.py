"""The table and the pages that people read."""

from pathlib import Path

from reports.build import build
from reports.cells import cells
from reports.curl import STAND_IN
from reports.evidence import evidence
from reports.gate import gate
from reports.markdown import render
from reports.model import Absent, Event
from reports.summary import summary_lines
from reports.words import Layer, Mode, Outcome
from tests.reports.sample import (
    a_check,
    a_large_report,
    a_report,
    a_result,
    a_target,
    an_exchange,
    an_expectation,
    results_of,
)


def test_the_header_says_what_was_run_and_when():
    shown = render(a_report())

    assert "`2026.10.11549` | `b11549-1a2b3c4` | `tiny` | 2026-11-22, native" in shown
    assert "Not a ranking." in shown


def test_a_cell_reads_as_sign_and_word_and_leads_to_its_page():
    shown = render(a_report(*results_of(Outcome.FAIL, Outcome.PASS)))

    assert "[◐ bridged](evidence/llamacpp/tools.parallel-calls.md)" in shown
    assert "- ◐ bridged: the module makes up for the server" in shown


def test_a_known_divergence_has_a_footnote_with_issue_and_date():
    shown = render(a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation())))

    assert "[✘ server (expected)](evidence/llamacpp/tools.parallel-calls.md) (1)" in shown
    assert "(1) named tool choice is read as auto" in shown
    assert "; to be checked again by 2026-12-31." in shown


def test_our_own_fault_never_reads_as_expected():
    report = a_report(*results_of(Outcome.PASS, Outcome.FAIL, expectation=an_expectation()))

    assert "[✖ provider](evidence" in render(report)


def test_counts_tell_how_many_ran():
    shown = render(a_report(a_result(), checks=(a_check(), a_check("tools.one-call"))))

    assert "| llamacpp | wire | whole | 1 of 2 | 1 |" in shown
    assert "| llamacpp | provider | stream | 0 of 2 | – |" in shown


def test_nothing_to_run_is_not_all_of_it():
    shown = render(a_report(a_result(), checks=(a_check(modes=(Mode.WHOLE,)),)))

    assert "| llamacpp | wire | stream | – |" in shown


def test_a_server_that_did_not_run_here_says_so():
    absent = Absent(server="lmstudio", title="LM Studio", reason="needs a desktop")

    assert "LM Studio: not run here: needs a desktop" in render(a_report(absent=(absent,)))


def test_an_incomplete_run_says_so_on_top():
    shown = render(a_report(incomplete=("The run did not finish.",)))

    assert "**Incomplete:** The run did not finish." in shown.split("##")[0]


def test_a_page_holds_all_its_evidence():
    report = a_report(
        *results_of(Outcome.FAIL, Outcome.FAIL, message="one call", expected="2", seen="1")
    )

    page = evidence(cells(report)[0])

    assert "> The model can choose to call multiple functions" in page
    assert "Owner: server." in page
    assert "--url http://127.0.0.1:8080/v1/chat/completions" in page
    assert "+4.5 ms\ndata: " in page
    assert "slot released" in page


def test_a_page_says_what_can_be_done_and_by_whom():
    page = evidence(cells(a_report())[0])

    assert "For the server's maintainers: Parse every call of the answer." in page
    assert "For you: Start the server with a template that knows parallel calls." in page


def test_what_the_module_alone_is_asked_is_its_maintainers_to_mend():
    alone = a_check(layers=(Layer.PROVIDER,))

    page = evidence(cells(a_report(a_result(layer=Layer.PROVIDER), checks=(alone,)))[0])

    assert "For the module's maintainers: " in page


def test_our_own_words_are_no_quotation():
    page = evidence(cells(a_report(checks=(a_check(quoted=False),)))[0])

    assert "> The model can choose" not in page
    assert "in our words after <https://platform.openai.com" in page


def test_a_page_tells_what_is_known_of_a_divergence():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation()))

    page = evidence(cells(report)[0])

    assert "Known divergence (fail): named tool choice is read as auto (<https://" in page
    assert "to be checked again by 2026-12-31)" in page


def test_a_page_tells_what_was_expected_and_is_no_longer_seen():
    known = an_expectation(versions="<b12000")
    report = a_report(*results_of(Outcome.PASS, Outcome.PASS, expectation=known))

    page = evidence(cells(report)[0])

    told = "Expected, and no longer seen: named tool choice is read as auto (<https://"
    assert page.count(told) == 1
    assert ", on &lt;b12000)" in page
    assert "Known divergence" not in page


def test_an_error_refutes_no_expectation():
    report = a_report(*results_of(Outcome.ERROR, Outcome.NOT_RUN, expectation=an_expectation()))

    assert "no longer seen" not in evidence(cells(report)[0])


def test_addresses_can_be_followed_as_they_are():
    issue = "https://example.org/a_b_c/issues/1"
    known = an_expectation(issue=issue)
    check = a_check(link="https://example.org/some_page#a_b")
    found = results_of(Outcome.FAIL, Outcome.FAIL, expectation=known)
    report = a_report(*found, checks=(check,))

    page = evidence(cells(report)[0])

    assert f"<{issue}>" in page
    assert f"<{check.link}>" in page
    assert f"<{issue}>; to be checked again" in render(report)


def test_a_page_shows_the_events_of_the_module():
    report = a_report(a_result(events=(Event.of("llm:response", {"status": "ok"}),)))

    assert '```\nllm:response {"status": "ok"}\n```' in evidence(cells(report)[0])


def test_a_page_shows_the_first_exchanges_and_counts_the_rest():
    report = a_report(a_result(exchanges=(an_exchange(),) * 23))

    page = evidence(cells(report)[0])

    assert page.count("to be repeated with") == 20
    assert "3 more exchanges are in report.json." in page


def test_a_page_shows_expected_and_seen_as_a_difference():
    told = {"expected": "['a',\n 'b']", "seen": "['a',\n 'c']"}
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, **told))

    page = evidence(cells(report)[0])

    assert "Expected (-) and seen (+):\n\n```diff\n ['a',\n- 'b']\n+ 'c']\n```" in page


def test_a_page_marks_the_exchange_at_which_the_check_ended():
    many = tuple(an_exchange(started_ms=float(number)) for number in range(23))
    failed = evidence(cells(a_report(a_result(Outcome.FAIL, exchanges=many)))[0])
    passed = evidence(cells(a_report(a_result(exchanges=many)))[0])

    assert failed.count("Exchange at") == 20
    assert failed.count("the last one before the check ended") == 1
    assert "Exchange at 22 ms, the last one before the check ended, to be repeated" in failed
    assert "before the check ended" not in passed


def test_a_stand_ins_answer_can_not_be_repeated():
    answered = an_exchange(url=f"{STAND_IN}/1/v1/responses")

    page = evidence(cells(a_report(a_result(exchanges=(answered,))))[0])

    assert "curl" not in page
    assert "# the suite gave this answer in the server's place" in page


def test_results_with_nothing_to_tell_are_a_list():
    results = [a_result(case=f"text.case-{number}", exchanges=(), log="") for number in range(3)]

    page = evidence(cells(a_report(*results))[0])

    assert "## Nothing more to tell\n\n- wire, whole, text.case-0: ✔ pass\n- wire" in page


def test_a_page_of_evidence_has_an_end():
    results = [a_result(Outcome.FAIL, case=str(number), log="x" * 15_000) for number in range(200)]

    page = evidence(cells(a_report(*results))[0])

    assert len(page) < 1_100_000
    assert page.endswith("the rest is in report.json.\n")


def test_the_summary_names_cell_owner_and_page(tmp_path: Path):
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, message="one call\x1b[0m"))

    shown = summary_lines(report, gate(report), tmp_path)

    assert f"llamacpp/tools.parallel-calls: server (owner: server)  {tmp_path}" in "\n".join(shown)
    assert "  wire, whole: fail  one call\\x1b[0m" in shown
    assert shown[-1] == "Gate: red for 2 reasons, 0 warnings."


def test_the_summary_names_no_page_that_is_not_there(tmp_path: Path):
    report = a_report(checks=(a_check(), a_check("tools.none")))

    shown = summary_lines(report, gate(report), tmp_path)

    assert "llamacpp/tools.none: not run (owner: suite)" in shown


def test_the_summary_of_all_right_is_short(tmp_path: Path):
    report = a_report()

    shown = summary_lines(report, gate(report), tmp_path)

    assert shown[0] == "llamacpp 2026.10.11549 (b11549-1a2b3c4), model tiny, native"
    assert shown[1] == "  wire     whole  ran 1 of 1    ✔ 1 pass"
    assert shown[-1] == "Gate: green, 0 warnings."


def test_every_link_of_the_table_leads_to_a_page(tmp_path: Path):
    written = build(a_large_report(servers=2, checks=20), tmp_path)

    linked = {part.split(")")[0] for part in (tmp_path / "report.md").read_text().split("](")[1:]}

    assert linked
    assert {str(tmp_path / link) for link in linked} <= {str(path) for path in written}


def test_a_column_for_each_target():
    shown = render(a_report(targets=(a_target(), a_target("vllm"))))

    assert "| check | level | llamacpp | vllm |" in shown
    assert "| `tools.parallel-calls` | MUST | ✔ works | ? not run |" in shown
