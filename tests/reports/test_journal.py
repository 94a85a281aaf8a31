"""A journal loses nothing that was judged, wherever it breaks off."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reports.errors import UnreadableJournal
from reports.exchange import Body
from reports.journal import Journal, read_journal
from reports.model import Absent, Event, Kill, Result
from reports.words import Layer, Mode, Outcome
from tests.reports.sample import a_check, a_report, a_result, a_target, an_exchange


def write(path: Path, *, finish: bool = True) -> Path:
    with Journal.create(path, suite_version="0.1.0", asked=["llamacpp"]) as journal:
        journal.target(a_target())
        journal.checks([a_check()])
        journal.result(a_result(exchanges=()))
        journal.result(a_result(Outcome.FAIL, mode=Mode.STREAM, exchanges=()))
        if finish:
            journal.finish()
    return path


def test_a_journal_gives_its_report(tmp_path: Path):
    report = read_journal(write(tmp_path / "journal.jsonl"))

    assert report.targets == (a_target(),)
    assert [result.outcome for result in report.results] == [Outcome.FAIL, Outcome.PASS]
    assert report.incomplete == ()


@pytest.mark.parametrize("key", [None, "a-configured-key"])
@pytest.mark.parametrize("finish", [True, False])
def test_what_was_written_is_what_is_read(tmp_path: Path, key: str | None, *, finish: bool):
    path = tmp_path / "journal.jsonl"
    long = "a-configured-key \ud800 sk-aaaaaaaaaaaaaaaaaaaa " * 5000
    with Journal.create(path, suite_version="0.1.0", asked=["llamacpp"]) as journal:
        journal.hide(key)
        journal.target(a_target())
        journal.checks([a_check()])
        journal.result(a_result(message=long, exchanges=(an_exchange(),)))
        journal.result(a_result(Outcome.FAIL, message="of two the worse one counts"))
        if finish:
            journal.finish(["what it had to leave out"])

    assert journal.report() == read_journal(path)


def test_a_journal_without_an_end_says_so(tmp_path: Path):
    report = read_journal(write(tmp_path / "journal.jsonl", finish=False))

    assert len(report.results) == 2
    assert report.finished is None
    assert report.incomplete == ("The run did not finish.",)


def test_a_journal_cut_at_any_byte_gives_all_whole_results(tmp_path: Path):
    raw = write(tmp_path / "journal.jsonl").read_bytes()
    cut = tmp_path / "cut.jsonl"
    ends = [found.end() for found in re.finditer(rb'\{"record":"result".*\}', raw)]

    for size in range(raw.index(b"\n"), len(raw) - 1):
        cut.write_bytes(raw[:size])
        report = read_journal(cut)
        assert len(report.results) == sum(end <= size for end in ends)
        assert "The run did not finish." in report.incomplete


def test_a_disk_that_takes_half_a_line_takes_none_of_it(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal.create(path, suite_version="0.1.0", asked=["llamacpp"]) as journal:
        journal.target(a_target())
        journal.checks([a_check()])
        journal.result(a_result())
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, limits[1]))
        try:
            with pytest.raises(OSError, match="No space left"):
                journal.result(a_result(mode=Mode.STREAM))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        journal.finish()

    assert len(read_journal(path).results) == 1
    assert journal.report() == read_journal(path)


def test_a_journal_cut_in_its_first_record_judged_nothing(tmp_path: Path):
    path = write(tmp_path / "journal.jsonl")
    path.write_bytes(path.read_bytes()[:20])

    with pytest.raises(UnreadableJournal, match="nothing was judged"):
        read_journal(path)


def test_a_journal_damaged_in_the_middle_names_the_line(tmp_path: Path):
    path = write(tmp_path / "journal.jsonl")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], b"{rubbish", *lines[3:]]))

    with pytest.raises(UnreadableJournal, match=r"jsonl:3 is no record"):
        read_journal(path)


def test_of_two_results_for_one_key_the_worse_counts(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=[]) as journal:
        journal.target(a_target())
        journal.checks([a_check()])
        journal.result(a_result(Outcome.ERROR, message="the clean-up failed"))
        journal.result(a_result(Outcome.PASS))

    assert [result.outcome for result in read_journal(path).results] == [Outcome.ERROR]


def test_results_of_several_cases_stand_side_by_side(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=[]) as journal:
        journal.target(a_target())
        journal.checks([a_check()])
        journal.result(a_result(case="text.plain"))
        journal.result(a_result(case="tools.one-call"))

    assert [result.case for result in read_journal(path).results] == [
        "text.plain",
        "tools.one-call",
    ]


def test_absent_servers_and_noticed_faults_are_kept(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    absent = Absent(server="mlx", title="MLX", reason="it died")
    kill = Kill(check="tools.parallel-calls", mutant="drop a call", killed=True)
    with Journal.create(path, suite_version="0.1.0", asked=["mlx"]) as journal:
        journal.absent(absent)
        journal.kills([kill])

    report = read_journal(path)

    assert (report.absent, report.kills) == ((absent,), (kill,))


def test_a_journal_that_contradicts_itself_is_refused(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=[]) as journal:
        journal.result(a_result())

    with pytest.raises(UnreadableJournal, match="not in the report"):
        read_journal(path)


def test_a_key_that_a_server_repeats_never_reaches_the_journal(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    key = 'pass"word-ü'
    with Journal.create(path, suite_version="0.1.0", asked=[]) as journal:
        journal.hide(key, None, "none")
        journal.target(a_target())
        journal.checks([a_check()])
        said = f"wrong key: {key}"
        spelt = json.dumps({"error": said})
        for body in (said.encode(), b"\xff" + said.encode(), spelt.encode()):
            exchange = an_exchange(response_headers=(("x", key),), response_body=Body.of(body))
            event = Event.of("llm:error", {"said": said})
            told = a_result(case=str(len(body)), exchanges=(exchange,), events=(event,))
            journal.result(told.model_copy(update={"log": f"none got {key}"}))

    told_ = read_journal(path)
    bodies = {one.exchanges[0].response_body.raw for one in told_.results}
    clean = b"wrong key: [redacted]"
    assert bodies == {clean, b"\xff" + clean, b'{"error": "wrong key: [redacted]"}'}
    assert {one.log for one in told_.results} == {"none got [redacted]"}
    assert {one.exchanges[0].response_headers for one in told_.results} == {(("x", "[redacted]"),)}
    assert {one.events[0].data for one in told_.results} == {'{"said": "wrong key: [redacted]"}'}


def test_a_key_that_is_a_word_of_the_report_changes_texts_alone(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=["llamacpp"]) as journal:
        journal.hide("llamacpp", "provider", "complete", "parallel", "response_body")
        journal.target(a_target(flags=("--api-key", "llamacpp", "--alias=llamacpp")))
        journal.checks([a_check()])
        journal.result(a_result(layer=Layer.PROVIDER, message="llamacpp: complete"))

    report = read_journal(path)

    [result] = report.results
    assert (report.targets[0].id, report.checks) == ("llamacpp", (a_check(),))
    assert report.targets[0].flags == ("--api-key", "[redacted]", "--alias=[redacted]")
    assert (result.layer, result.message) == (Layer.PROVIDER, "[redacted]: [redacted]")
    assert result.exchanges[0].ended == "complete"


def test_a_record_without_a_key_is_written_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Reading each record anew would cost a run of hundreds seconds."""
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, suite_version="0.1.0", asked=[]) as journal:
        journal.hide("sk-not-in-any-text")
        with monkeypatch.context() as patched:
            patched.setattr(Result, "model_validate_json", None)
            journal.target(a_target())
            journal.checks([a_check()])
            journal.result(a_result())

    assert read_journal(path).results == (a_result(),)


def test_a_killed_writer_leaves_what_it_wrote(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    program = (
        "import sys, pathlib; from reports.journal import Journal;"
        "from tests.reports.sample import *;"
        "journal = Journal.create(pathlib.Path(sys.argv[1]), suite_version='0.1.0', asked=[]);"
        "journal.target(a_target()); journal.checks([a_check()]); journal.result(a_result());"
        "print('written', flush=True); input()"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with writer:
        assert writer.stdout
        writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)

    assert len(read_journal(path).results) == 1


def test_a_new_run_begins_a_new_journal(tmp_path: Path):
    path = write(tmp_path / "journal.jsonl")

    Journal.create(path, suite_version="0.1.0", asked=[]).finish()

    assert read_journal(path).results == ()


def test_a_journal_in_its_canonical_order_equals_the_report(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    report = a_report()
    with Journal.create(path, suite_version="0.1.0", asked=report.asked) as journal:
        journal.target(a_target())
        journal.checks(report.checks)
        for result in reversed(report.results):
            journal.result(result)

    assert read_journal(path).results == report.results
