"""Badge, JUnit, SARIF and GitHub's forms say what the report says."""

import json
from datetime import timedelta
from xml.etree import ElementTree as ET

from reports.badge import endpoint, svg, texts
from reports.exchange import Body
from reports.gate import gate
from reports.github import annotations, step_summary
from reports.groups import groups
from reports.har import har
from reports.junit import junit
from reports.model import Absent
from reports.sarif import sarif
from reports.words import Layer, Level, Mode, Outcome, Owner
from tests.reports.sample import (
    START,
    a_check,
    a_large_report,
    a_report,
    a_result,
    a_target,
    an_exchange,
    an_expectation,
    results_of,
)
from tests.reports.test_hostile import NASTY, hostile


def parsed(xml: str) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314  (written by this project)


def test_a_badge_counts_what_must_hold_and_names_the_version():
    report = a_report(
        *results_of(Outcome.FAIL, Outcome.PASS),
        checks=(a_check(), a_check("tools.two"), a_check("tools.may", level=Level.MAY)),
    )

    assert texts(report, report.targets[0]) == ("llamacpp 2026.10.11549", "1/2 MUST")


def test_a_badge_of_nothing_is_a_dash():
    report = a_report(checks=(a_check(level=Level.MAY),))

    assert texts(report, report.targets[0])[1] == "– MUST"


def test_a_badge_of_an_incomplete_run_says_so_and_is_not_green():
    report = a_report(incomplete=("The run did not finish.",))

    badge = json.loads(endpoint(report, report.targets[0]))

    assert badge["message"] == "1/1 MUST, incomplete"
    assert badge["color"] != json.loads(endpoint(a_report(), report.targets[0]))["color"]


def test_a_badge_for_shields_keeps_to_its_schema():
    report = a_report()

    badge = json.loads(endpoint(report, report.targets[0]))

    assert badge == {
        "schemaVersion": 1,
        "label": "llamacpp 2026.10.11549",
        "message": "1/1 MUST",
        "color": "#1a7f37",
    }


def test_a_badge_is_a_picture_with_a_name():
    report = a_report(targets=(a_target(title=NASTY),))

    picture = parsed(svg(report, report.targets[0]))

    assert picture.get("aria-label", "").endswith(": 1/1 MUST")
    assert {element.tag.split("}")[1] for element in picture.iter()} == {
        "svg",
        "title",
        "rect",
        "g",
        "text",
    }


def test_junit_has_a_case_for_each_layer_and_mode():
    suite = parsed(junit(a_report()))[0]

    assert [case.get("name") for case in suite.iter("testcase")] == [
        "tools.parallel-calls[wire-whole]",
        "tools.parallel-calls[wire-stream]",
        "tools.parallel-calls[provider-whole]",
        "tools.parallel-calls[provider-stream]",
    ]


def test_junit_tells_owner_verdict_and_evidence_of_a_failure():
    report = a_report(
        *results_of(Outcome.FAIL, Outcome.FAIL, owner=Owner.SET_UP, message="one call")
    )

    case = next(parsed(junit(report)).iter("testcase"))

    told = {item.get("name"): item.get("value") for item in case.iter("property")}
    failure = case.find("failure")
    assert told == {"level": "MUST", "verdict": "server", "owner": "set-up"}
    assert failure is not None
    assert failure.get("message") == "one call"
    assert "evidence: llamacpp/tools.parallel-calls" in (failure.text or "")


def test_junit_and_sarif_say_what_can_be_done_and_by_whom():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL))

    [text, *_] = [failure.text or "" for failure in parsed(junit(report)).iter("failure")]
    [rule] = json.loads(sarif(report))["runs"][0]["tool"]["driver"]["rules"]

    for told in (text, rule["help"]["text"]):
        assert "For the server's maintainers: Parse every call of the answer." in told
        assert "For you: Start the server with a template that knows parallel calls." in told


def test_junit_has_an_error_for_each_reason_about_the_run_as_a_whole():
    absent = Absent(server="vllm", title="vLLM", reason="it died")
    lacking = ("The run did not finish.",)
    report = a_report(asked=("llamacpp", "vllm"), absent=(absent,), incomplete=lacking)

    suites = parsed(junit(report))

    told = [error.get("message") for error in suites[-1].iter("error")]
    assert (suites[-1].get("name"), suites[-1].get("errors")) == ("run", "2")
    assert told == [
        "The run did not finish. (owner: suite)",
        "vllm was asked for and did not run: it died.",
    ]
    assert [suite.get("name") for suite in parsed(junit(a_report()))] == ["llamacpp"]


def test_junit_never_makes_a_pass_of_what_did_not_pass():
    report = a_report(
        a_result(Outcome.FAIL, expectation=an_expectation()),
        a_result(Outcome.ERROR, mode=Mode.STREAM),
        a_result(Outcome.UNSUPPORTED, layer=Layer.PROVIDER),
    )

    suite = parsed(junit(report))[0]

    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "4", "failures": "0", "errors": "1", "skipped": "3"}


def test_junit_never_excuses_our_own_fault():
    known = an_expectation()
    report = a_report(*results_of(Outcome.PASS, Outcome.FAIL, expectation=known))

    assert parsed(junit(report))[0].get("failures") == "2"


def test_junit_of_hostile_text_is_still_xml():
    failure = next(parsed(junit(hostile())).iter("failure"))

    assert "<script>" in (failure.get("message") or "")


def test_sarif_has_a_rule_a_check_and_a_finding_a_red_cell():
    report = a_large_report(servers=2, checks=20)

    run = json.loads(sarif(report))["runs"][0]

    assert len(run["tool"]["driver"]["rules"]) == 20
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {finding["ruleId"] for finding in run["results"]} <= rules
    assert "errors.requirement-005" in {finding["ruleId"] for finding in run["results"]}


def test_sarif_points_to_the_page_and_suppresses_what_is_known():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL, expectation=an_expectation()))

    finding = json.loads(sarif(report))["runs"][0]["results"][0]

    location = finding["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert location == "evidence/llamacpp/tools.parallel-calls.md"
    assert finding["level"] == "error"
    assert finding["suppressions"][0]["justification"] == "named tool choice is read as auto"


def test_sarif_of_hostile_text_has_no_links():
    report = a_report(a_result(Outcome.FAIL, message=r"[see](1) C:\temp"))

    finding = json.loads(sarif(report))["runs"][0]["results"][0]

    assert r"\[see\](1) C:\\temp" in finding["message"]["text"]


def test_sarif_of_all_right_has_no_finding():
    assert json.loads(sarif(a_report()))["runs"][0]["results"] == []


def test_annotations_name_the_cell_and_stay_on_one_line():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL))

    lines = annotations(gate(report))

    assert lines[0].startswith("::error title=llamacpp/tools.parallel-calls::llamacpp/")
    assert lines[-1] == "::notice title=Gate::Gate: red for 2 reasons, 0 warnings."


def test_a_server_cannot_write_workflow_commands():
    report = a_report(incomplete=("gone\n::set-env name=A::1",))

    assert all(line.count("\n") == 0 for line in annotations(gate(report)))


def test_the_step_summary_begins_with_the_judgement():
    report = a_report()

    assert step_summary(report, gate(report)).startswith("**Gate: green, 0 warnings.**")


def test_the_step_summary_stays_below_githubs_limit():
    report = a_large_report(servers=6, checks=200)
    heavy = report.model_copy(update={"incomplete": tuple("é" * 299 for _ in range(3000))})

    summary = step_summary(heavy, gate(report))

    assert len(summary.encode()) < 1_048_576
    assert summary.endswith("The rest is in report.md.\n")


def test_har_has_an_entry_for_each_exchange():
    log = json.loads(har(a_report()))["log"]

    entry = log["entries"][0]
    assert (log["version"], len(log["pages"]), len(log["entries"])) == ("1.2", 4, 4)
    assert entry["request"]["url"] == "http://127.0.0.1:8080/v1/chat/completions"
    assert entry["timings"] == {"send": 0, "wait": 4.5, "receive": 2.0}
    assert {page["id"] for page in log["pages"]} == {one["pageref"] for one in log["entries"]}


def test_har_has_the_time_at_which_the_check_began():
    report = a_report(a_result(started=START + timedelta(minutes=2)))

    log = json.loads(har(report))["log"]

    assert log["pages"][0]["startedDateTime"] == "2026-11-22T09:32:00+00:00"
    assert log["entries"][0]["startedDateTime"] == "2026-11-22T09:32:00.001500+00:00"


def test_har_carries_bytes_that_are_no_text_as_base64():
    report = a_report(a_result(exchanges=(an_exchange(response_body=Body.of(b"\xff")),)))

    content = json.loads(har(report))["log"]["entries"][0]["response"]["content"]

    assert (content["text"], content["encoding"], content["size"]) == ("/w==", "base64", 1)


def test_har_of_an_address_with_a_login_has_its_query_and_no_login():
    url = "http://me:password@localhost/v1/models?limit=2&after=a#b"
    report = a_report(a_result(exchanges=(an_exchange(url=url),)))

    request = json.loads(har(report))["log"]["entries"][0]["request"]

    assert request["url"].startswith("http://[redacted]@localhost")
    assert request["queryString"] == [
        {"name": "limit", "value": "2"},
        {"name": "after", "value": "a"},
    ]


def test_har_of_a_connection_that_failed_has_status_0():
    report = a_report(a_result(exchanges=(an_exchange(status=None, chunks=(), ended="reset"),)))

    entry = json.loads(har(report))["log"]["entries"][0]

    assert (entry["response"]["status"], entry["comment"]) == (0, "reset")


def test_a_layer_that_was_not_asked_counts_nowhere():
    one, other = a_check(), a_check("text.other")
    passed = [a_result(layer=Layer.PROVIDER, mode=mode) for mode in Mode]
    failed = a_result(Outcome.FAIL, check="text.other", layer=Layer.PROVIDER)
    report = a_report(*passed, failed, checks=(one, other))

    counted = {check.id: groups(report)[check.chapter, "llamacpp"] for check in (one, other)}

    assert {str(group.tally(Layer.WIRE)) for group in counted.values()} == {"–"}
    assert texts(report, report.targets[0])[1] == "1/2 MUST, provider only"


def test_what_did_not_run_is_no_finding():
    report = a_report(a_result(), checks=(a_check(), a_check("text.other")))

    found = json.loads(sarif(report))["runs"][0]["results"]

    assert "text.other" not in [finding["ruleId"] for finding in found]


def test_a_summary_of_a_step_links_to_no_page_that_is_not_there():
    report = a_report(*results_of(Outcome.FAIL, Outcome.FAIL))

    assert "evidence/" not in step_summary(report, gate(report))
