"""Whatever a server sends is shown, and nothing of it acts."""

import subprocess
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.canonical import dumps
from reports.cells import cells
from reports.curl import curl
from reports.escape import code, fence, line, link, plain, prose, visible
from reports.evidence import evidence
from reports.exchange import Body
from reports.markdown import render
from reports.model import Report
from reports.words import Outcome
from tests.reports.sample import a_report, a_result, a_target, an_exchange

NASTY = (
    "<script>alert(1)</script> | `x` ``` \n```\n# head\n[a](javascript:alert(1)) "
    '<img src=x onerror="alert(1)"> \x1b[2J\x07\u202e\x00 </pre> {{ 7 * 7 }} @everyone'
)


def hostile() -> Report:
    """A report in which the server chose every text it can choose."""
    exchange = an_exchange(
        response_headers=((NASTY, NASTY),), response_body=Body.of(NASTY.encode() + b"\xff")
    )
    result = a_result(
        Outcome.FAIL, message=NASTY, expected=NASTY, seen=NASTY, log=NASTY, exchanges=(exchange,)
    )
    target = a_target(version=NASTY, build=NASTY, model=NASTY, title=NASTY, flags=(NASTY,))
    return a_report(result, targets=(target,))


def html(markdown: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(markdown))


@pytest.mark.parametrize("escape", [plain, prose, code, link, fence])
def test_markdown_shows_markup_as_text(escape: Callable[[str], str]):
    shown = html(escape(NASTY))

    assert "<script" not in shown
    assert "<img" not in shown
    assert "<a " not in shown
    assert "<h1" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://x/> <script>alert(1)</script>",
        "https://x/>[a](javascript:alert(1))",
        "https://x/\x1b[2J",
        "https://x/\u202e",
        "https://x/" + "x" * 400,
    ],
)
def test_what_is_no_plain_address_is_no_link(url: str):
    shown = html(link(url))

    assert "<script" not in shown
    assert "<a " not in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("url", ["https://x/a_b*c*[d]", 'https://x/"onclick="alert(1)', "HTTP://x"])
def test_an_address_leads_to_itself_and_shows_as_it_is(url: str):
    [paragraph] = ET.fromstring(html(link(url)))  # noqa: S314  (written by this project)

    assert paragraph.text == url


def test_prose_keeps_its_code_and_nothing_else():
    assert prose("- send `a*b` | not *c* `") == r"\- send `a*b` \| not \*c\* \`"


def test_a_table_keeps_its_columns():
    row = f"| a | b |\n|---|---|\n| {code(NASTY)} | {plain(NASTY)} |"

    assert html(row).count("<td") == 2


@given(st.text())
def test_nothing_that_acts_on_a_terminal_is_left(text: str):
    shown = visible(text)

    assert all(
        character.isprintable() or character in "\n\t"
        for character in shown
        if ord(character) < 0xA0
    )
    assert "\u202e" not in shown


@given(st.text())
def test_a_fence_is_never_ended_from_inside(text: str):
    assert html(fence(text)).count("<pre>") == 1
    assert html(fence(text)).rstrip().endswith("</pre>")


@given(st.text())
def test_a_code_span_is_one_line(text: str):
    assert "\n" not in code(text)
    assert len(line(text, 10)) <= 10 * 10 + 40


def test_a_long_text_is_cut_with_a_note():
    assert visible("x" * 20_000).endswith("… [4000 more characters]")


@pytest.mark.parametrize("show", [render, lambda report: evidence(cells(report)[0])])
def test_no_page_runs_or_draws_what_a_server_sent(show: Callable[[Report], str]):
    shown = html(show(hostile()))

    assert "<script" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown
    assert "\x1b" not in shown


def test_the_document_keeps_what_came_byte_for_byte():
    report = Report.model_validate_json(dumps(hostile()))

    assert report.results[0].exchanges[0].response_body.raw == NASTY.encode() + b"\xff"


@pytest.mark.parametrize(
    "body", [b'it\'s "$HOME" `id` \\ !x', b"@/etc/passwd", b"\x00\x1b\xff", "Zürich ✔".encode()]
)
def test_a_curl_line_sends_the_very_bytes(body: bytes):
    line_ = curl(an_exchange(request_body=Body.of(body)))

    echo = 'curl() { for a; do last=$a; done; [ "$last" = @- ] && cat || printf %s "$last"; }; '
    sent = subprocess.run(["bash", "-c", echo + line_], capture_output=True, check=True)

    assert sent.stdout == body


def test_a_curl_line_asks_for_the_key_and_shows_none():
    shown = curl(
        an_exchange(request_headers=(("Authorization", "Bearer abcdef123"), ("Host", "x")))
    )

    assert '-H "Authorization: Bearer $API_KEY"' in shown
    assert "abcdef123" not in shown
    assert "Host" not in shown


def test_a_curl_line_says_what_of_the_request_it_lacks():
    shown = curl(an_exchange(request_body=Body.of(b"x" * 100, limit=10)))

    assert shown.endswith("--data-raw xxxxxxxxxx  # 90 bytes of the request are not in the report")


def test_a_curl_line_without_a_body_sends_none():
    shown = curl(an_exchange(method="GET", request_body=Body(), request_headers=()))

    assert shown == "curl -sS -N -g -X GET --url http://127.0.0.1:8080/v1/chat/completions"
