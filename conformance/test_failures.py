"""Failures: what goes wrong is named, tried again where that helps, and never taken for success."""

import asyncio
from dataclasses import replace

from amplifier_core import ChatResponse, llm_errors

from conformance.bench import Bench
from conformance.canned import BUSY, ERRORS, NO_ANSWERS, SLOW_DOWN, TOO_LONG
from conformance.check import check
from conformance.provider import ProviderAsker
from conformance.stand_in import always, facing, in_turn
from fixtures.tools import WEATHER
from reports import Mode
from servers.faults import Cut, Delay, Replace, Reset

#: Soon again, and always after the same time.
PATIENT = {"max_retries": 2, "min_retry_delay": 0.01, "retry_jitter": False}
#: Bytes after which an answer has begun and is not over.
MIDDLE = {Mode.WHOLE: 400, Mode.STREAM: 1500}


@check("failures.retry")
async def test_retry(ask: ProviderAsker) -> None:
    """A busy server is asked again, within one request of the session's."""
    async with facing(ask, in_turn(BUSY, BUSY), **PATIENT) as (other, stand):
        reply = await other("Repeat: tiger river")

    assert reply.text == "tiger river"
    assert len(stand.asked) == 3
    assert [told["attempt"] for told in ask.emitted("provider:retry")] == [1, 2]
    assert [told["status"] for told in ask.emitted("llm:response")] == ["ok"]
    assert len(ask.emitted("llm:request")) == 1


@check("failures.retry-after")
async def test_retry_after(ask: ProviderAsker) -> None:
    """The time that the server asks for is waited."""
    limited = replace(SLOW_DOWN, headers={"Retry-After": "0.2"})
    async with facing(ask, in_turn(limited), **PATIENT) as (other, _):
        reply = await other("Repeat: tiger river")

    assert reply.text == "tiger river"
    assert [retry["delay"] for retry in ask.emitted("provider:retry")] == [0.2]


@check("failures.retry-too-late")
async def test_retry_too_late(ask: ProviderAsker) -> None:
    """Nobody waits for an hour: the error comes at once, and says how long it would be."""
    limited = replace(SLOW_DOWN, headers={"Retry-After": "3600"})
    async with facing(ask, in_turn(limited), **PATIENT) as (other, stand):
        error = await other.error("Repeat: tiger river")

    assert isinstance(error, llm_errors.RateLimitError)
    assert error.retry_after == 3600
    assert not error.retryable
    assert len(stand.asked) == 1


@check("failures.classes")
async def test_classes(ask: ProviderAsker) -> None:
    """Each status is an error of the kernel's, with words, and is told to the session once."""
    for answer, kind in ERRORS:
        async with facing(ask, always(answer)) as (other, stand):
            error = await other.error("Repeat: tiger river")

        assert type(error) is kind, f"HTTP {answer.status} became {error!r}"
        assert error.status_code == answer.status
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


@check("failures.cut")
async def test_cut(ask: ProviderAsker, bench: Bench) -> None:
    """An answer that breaks off is an error, however much of it came."""
    with bench.tap.inject(Cut(MIDDLE[ask.mode])):
        error = await ask.error("Count to 40.")

    assert error.retryable, repr(error)
    assert [told["status"] for told in ask.emitted("llm:response")] == ["error"]
    begun = bool(ask.emitted("llm:stream_block_delta"))
    assert len(ask.emitted("llm:stream_aborted")) == begun


@check("failures.cut-call")
async def test_cut_call(ask: ProviderAsker) -> None:
    """A call that the limit cut never reaches the tools."""
    request = ask.request("What is the weather in Oslo?", tools=[WEATHER], max_tokens=8)
    (ended,) = await asyncio.gather(ask.complete(request), return_exceptions=True)

    if isinstance(ended, ChatResponse):
        assert not ended.tool_calls
        assert ended.finish_reason == "length"
    else:
        assert isinstance(ended, llm_errors.InvalidToolCallError), repr(ended)
        assert ended.tool_name == "get_weather"


@check("failures.broken-arguments")
async def test_broken_arguments(ask: ProviderAsker, bench: Bench) -> None:
    """Arguments that are no JSON are an empty object, so that the tool can say what is missing."""
    with bench.tap.inject(Replace(b'{\\"city\\":', b'[\\"city\\":')):
        reply = await ask("What is the weather in Oslo?", tools=[WEATHER])

    assert reply.call.name == "get_weather"
    assert reply.call.arguments == {}


@check("failures.cancel")
async def test_cancel(ask: ProviderAsker, bench: Bench) -> None:
    """A request that is given up ends at once, and the next one is answered."""
    with bench.tap.inject(Delay(2)):
        given_up = asyncio.wait_for(ask.complete(ask.request("Count to 9.")), timeout=0.2)
        (ended,) = await asyncio.gather(given_up, return_exceptions=True)
    reply = await ask("Repeat: tiger river")

    assert isinstance(ended, TimeoutError), repr(ended)
    assert reply.text == "tiger river"
    assert [told["status"] for told in ask.emitted("llm:response")] == ["ok"]
