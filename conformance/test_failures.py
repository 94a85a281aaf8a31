"""Failures: what goes wrong is named, tried again where that helps, and never taken for success."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from amplifier_core import LLMError, llm_errors

from conformance.bench import Bench
from conformance.canned import (
    BUSY,
    ERRORS,
    FAILED_LATER,
    NO_ANSWERS,
    PASSING,
    RESET,
    SILENCE,
    SLOW_DOWN,
    STUCK,
    TOO_LONG,
    called,
)
from conformance.check import check
from conformance.limited import FORTY
from conformance.outcome import Inconclusive, about_form
from conformance.provider import ProviderAsker
from conformance.stand_in import StandIn, always, facing, in_turn, nobody
from conformance.within import within
from fixtures.tools import WEATHER
from reports import Mode
from servers.faults import Cut, Replace, Reset

#: Soon again, and always after the same time.
PATIENT = {"max_retries": 2, "min_retry_delay": 0.01, "retry_jitter": False}
#: Arguments of a call that the limit cut at several places, the last one just before its end.
CUT_ARGUMENTS = ["{", '{"city', '{"city": "Os', '{"city": "Oslo"']
#: Seconds after which a slot that was kept will not be given back any more, and no timeout comes.
LONG = 5.0
#: Seconds in which the module has read what came before the silence.
SHORT = 0.1
#: Bytes after which an answer has begun and is not over.
MIDDLE = {Mode.WHOLE: 400, Mode.STREAM: 1500}


@check("failures.retry")
async def test_retry(ask: ProviderAsker) -> None:
    """A busy server is asked again, within one request of the session's."""
    async with facing(ask, in_turn(BUSY, BUSY), **PATIENT) as (other, stand):
        reply = await other("Repeat: tiger river")

    with about_form():
        assert len(stand.asked) == 3
        assert [told["attempt"] for told in ask.emitted("provider:retry")] == [1, 2]
        assert [told["status"] for told in ask.emitted("llm:response")] == ["ok"]
        assert len(ask.emitted("llm:request")) == 1
    assert reply.text == "tiger river"


@check("failures.retry-exhausted")
async def test_retry_exhausted(ask: ProviderAsker) -> None:
    """A server that stays busy is left alone at last, and the session hears its error once."""
    async with facing(ask, always(BUSY), **PATIENT) as (other, stand):
        error = await other.error("Repeat: tiger river")

    assert isinstance(error, llm_errors.ProviderUnavailableError), repr(error)
    assert len(stand.asked) == 3
    assert len(other.emitted("provider:retry")) == 2
    assert [told["status"] for told in other.emitted("llm:response")] == ["error"]


@check("failures.retry-reset")
async def test_retry_reset(ask: ProviderAsker) -> None:
    """After a connection that broke the request is sent again."""
    async with facing(ask, in_turn(RESET), **PATIENT) as (other, stand):
        reply = await other("Repeat: tiger river")

    with about_form():
        assert len(stand.asked) == 2
        assert len(other.emitted("provider:retry")) == 1
    assert reply.text == "tiger river"


@check("failures.retry-after")
async def test_retry_after(ask: ProviderAsker) -> None:
    """The time that the server asks for is waited, whichever status it asks with."""
    for answer in (SLOW_DOWN, BUSY):
        limited = replace(answer, headers={"Retry-After": "0.2"})
        async with facing(ask, in_turn(limited), **PATIENT) as (other, stand):
            reply = await other("Repeat: tiger river")

        with about_form():
            assert [retry["delay"] for retry in other.emitted("provider:retry")] == [0.2]
            first, second = stand.came
            assert second - first >= 0.2
        assert reply.text == "tiger river"


@check("failures.retry-too-late")
async def test_retry_too_late(ask: ProviderAsker) -> None:
    """Nobody waits for an hour: the error comes at once, and says how long it would be."""
    then = datetime.now(UTC) + timedelta(hours=1)
    for told in ("3600", format_datetime(then, usegmt=True)):
        limited = replace(SLOW_DOWN, headers={"Retry-After": told})
        async with facing(ask, always(limited), **PATIENT) as (other, stand):
            error = await other.error("Repeat: tiger river")

        assert isinstance(error, llm_errors.RateLimitError)
        assert len(stand.asked) == 1
        assert not error.retryable
        assert 3500 < (error.retry_after or 0) <= 3600


@check("failures.classes")
async def test_classes(ask: ProviderAsker) -> None:
    """Each status is an error of the kernel's, with words, and is told to the session once."""
    final = [(answer, kind, False) for answer, kind in ERRORS]
    passing = [(answer, kind, True) for answer, kind in PASSING]
    for answer, kind, retryable in final + passing:
        async with facing(ask, always(answer)) as (other, stand):
            error = await other.error("Repeat: tiger river")

        assert type(error) is kind, f"HTTP {answer.status} became {error!r}"
        assert error.status_code == answer.status
        assert error.retryable == retryable, f"HTTP {answer.status}: {error!r}"
        assert stand.url in str(error)
        assert [told["status"] for told in other.emitted("llm:response")] == ["error"]


@check("failures.context")
async def test_context(ask: ProviderAsker) -> None:
    """A prompt that is too long is told to be that, in any server's words, and not sent again."""
    for answer in TOO_LONG:
        async with facing(ask, always(answer), **PATIENT) as (other, stand):
            error = await other.error("Repeat: tiger river")

        assert isinstance(error, llm_errors.ContextLengthError), f"{answer.body} became {error!r}"
        assert len(stand.asked) == 1


@check("failures.no-answer")
async def test_no_answer(ask: ProviderAsker) -> None:
    """A 200 that holds no answer is an error, and not an empty answer."""
    for answer in NO_ANSWERS:
        async with facing(ask, always(answer)) as (other, _):
            error = await other.error("Repeat: tiger river")

        assert str(error)
        assert [told["status"] for told in other.emitted("llm:response")] == ["error"]


@check("failures.reset")
async def test_reset(ask: ProviderAsker, bench: Bench) -> None:
    """A connection that breaks is named with its URL, and may be tried again."""
    with bench.tap.inject(Reset(0)):
        error = await ask.error("Repeat: tiger river")

    assert isinstance(error, llm_errors.NetworkError | llm_errors.StreamError), repr(error)
    assert error.retryable
    assert bench.url in str(error)


@check("failures.timeout")
async def test_timeout(ask: ProviderAsker) -> None:
    """A server that says nothing is waited for as long as was set, and named."""
    async with facing(ask, always(SILENCE), timeout=0.2) as (other, stand):
        error = await within(LONG, other.error("Repeat: tiger river"), "no timeout")

    assert isinstance(error, llm_errors.LLMTimeoutError), repr(error)
    assert error.retryable
    assert stand.url in str(error)


@check("failures.refused")
async def test_refused(ask: ProviderAsker) -> None:
    """Where nobody listens, the address is named, and it may be tried again."""
    with nobody() as url:
        async with ask.configured(base_url=url) as other:
            error = await other.error("Repeat: tiger river")

    assert isinstance(error, llm_errors.NetworkError), repr(error)
    assert error.retryable
    assert url in str(error)


@check("failures.error-event")
async def test_error_event(ask: ProviderAsker) -> None:
    """An error in the middle of a stream is an error with the server's words, not an end."""
    config = {"use_responses_api": False}
    async with facing(ask, in_turn(FAILED_LATER), **config) as (other, _):
        error = await other.error("Repeat: tiger river")

    assert "out of memory" in str(error)
    assert len(other.emitted("llm:stream_aborted")) == 1
    assert [told["status"] for told in other.emitted("llm:response")] == ["error"]


@check("failures.cut")
async def test_cut(ask: ProviderAsker, bench: Bench) -> None:
    """An answer that breaks off is an error, however much of it came."""
    began = bench.moment()
    with bench.tap.inject(Cut(MIDDLE[ask.mode])):
        ended = await ask.ended(ask.request(FORTY))
    if "cut" not in {exchange.ended for exchange in bench.exchanges(began)}:
        raise Inconclusive("the answer was over before it could be cut")

    with about_form():
        assert isinstance(ended, LLMError), f"half an answer was taken for a whole one: {ended!r}"
        assert ended.retryable, repr(ended)
        assert [told["status"] for told in ask.emitted("llm:response")] == ["error"]
        begun = bool(ask.emitted("llm:stream_block_delta"))
        assert len(ask.emitted("llm:stream_aborted")) == begun


@check("failures.cut-call")
async def test_cut_call(ask: ProviderAsker) -> None:
    """A call that the limit cut never reaches the tools."""
    for arguments in CUT_ARGUMENTS:
        cut = in_turn(called(ask.mode, arguments, "length"))
        async with facing(ask, cut, use_responses_api=False) as (other, _):
            request = other.request("What is the weather in Oslo?", tools=[WEATHER])
            ended = await other.ended(request)

        if isinstance(ended, LLMError):
            assert isinstance(ended, llm_errors.InvalidToolCallError), repr(ended)
            assert ended.tool_name == "get_weather"
        else:
            assert not other.calls(ended), f"{arguments} became a call"
            assert ended.finish_reason == "length"


@check("failures.broken-arguments")
async def test_broken_arguments(ask: ProviderAsker, bench: Bench) -> None:
    """Arguments that are no JSON are an empty object, so that the tool can say what is missing."""
    with bench.tap.inject(Replace(b'{\\"city\\":', b'[\\"city\\":')):
        reply = await ask("What is the weather in Oslo?", tools=[WEATHER])

    assert reply.call.name == "get_weather"
    assert reply.call.arguments == {}


@check("failures.cancel")
async def test_cancel(ask: ProviderAsker) -> None:
    """A request that is given up, before an answer or in its middle, ends and frees its slot."""
    config = {"use_responses_api": False, "max_concurrent_requests": 1}
    async with facing(ask, in_turn(SILENCE, STUCK), **config) as (other, stand):
        ended = [await _given_up(other, stand) for _ in range(2)]
        waited = asyncio.wait_for(other.text("Repeat: tiger river"), LONG)
        (text,) = await asyncio.gather(waited, return_exceptions=True)

    with about_form():
        assert [type(one) for one in ended] == [asyncio.CancelledError, asyncio.CancelledError]
        assert stand.left == 2
    assert text == "tiger river"
    assert [told["status"] for told in other.emitted("llm:response")] == ["ok"]


async def _given_up(ask: ProviderAsker, stand: StandIn) -> object:
    """What becomes of a request that is given up when the server has fallen silent."""
    asked = asyncio.create_task(ask.ended(ask.request("Count to 9.")))
    waited = asyncio.wait_for(stand.silences.acquire(), LONG)
    (silent,) = await asyncio.gather(waited, return_exceptions=True)
    await asyncio.sleep(SHORT)
    asked.cancel()
    (ended,) = await asyncio.gather(asked, return_exceptions=True)
    assert silent is True, "the request did not reach the server: another one kept its slot"
    return ended
