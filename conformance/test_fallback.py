"""Fallback: a server that speaks Chat Completions only is found out, without anybody noticing."""

from amplifier_core import llm_errors

from conformance.canned import (
    BROKEN,
    CONFUSED,
    HALF_A_STREAM,
    NO_KEY,
    NO_MODEL,
    NO_ROUTE,
    NO_ROUTE_AND_RESET,
    SLOW_DOWN,
)
from conformance.check import check
from conformance.conversation import result
from conformance.provider import ProviderAsker
from conformance.stand_in import Canned, facing, refusing
from fixtures.tools import WEATHER

AUTO = {"use_responses_api": "auto"}
FALLBACK = "provider:protocol_fallback"
RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
#: What says nothing about the protocol.
OTHERWISE: list[tuple[Canned, type[llm_errors.LLMError]]] = [
    (NO_KEY, llm_errors.AuthenticationError),
    (SLOW_DOWN, llm_errors.RateLimitError),
    (BROKEN, llm_errors.ProviderUnavailableError),
    (NO_MODEL, llm_errors.NotFoundError),
]


@check("fallback.missing-route")
async def test_missing_route(ask: ProviderAsker) -> None:
    """Whatever way the server says that it has no Responses API, the answer comes by Chat."""
    for answer in NO_ROUTE:
        async with facing(ask, refusing(RESPONSES, answer), **AUTO) as (other, stand):
            reply = await other("Repeat: tiger river")

        assert reply.text == "tiger river"
        assert stand.asked == [RESPONSES, CHAT]
        assert len(other.emitted(FALLBACK)) == 1


@check("fallback.confused")
async def test_confused(ask: ProviderAsker) -> None:
    """A route that doesn't understand Responses is as good as none."""
    for answer in CONFUSED:
        async with facing(ask, refusing(RESPONSES, answer), **AUTO) as (other, stand):
            reply = await other("Repeat: tiger river")

        assert reply.text == "tiger river"
        assert stand.asked == [RESPONSES, CHAT]


@check("fallback.reset")
async def test_reset(ask: ProviderAsker) -> None:
    """mlx_lm.server answers 404 and breaks the connection; users met "ReadError (no message)"."""
    async with facing(ask, refusing(RESPONSES, NO_ROUTE_AND_RESET), **AUTO) as (other, stand):
        reply = await other("Repeat: tiger river")

    assert reply.text == "tiger river"
    assert CHAT in stand.asked
    assert not other.emitted("provider:retry")


@check("fallback.one-request")
async def test_one_request(ask: ProviderAsker) -> None:
    """The session sees one request and one response, and no retry."""
    async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **AUTO) as (other, _):
        await other("Repeat: tiger river")

    assert len(other.emitted("llm:request")) == 1
    assert [told["status"] for told in other.emitted("llm:response")] == ["ok"]
    assert not other.emitted("provider:retry")


@check("fallback.remembered")
async def test_remembered(ask: ProviderAsker) -> None:
    """What was found out holds for the next question, and for the next session."""
    async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **AUTO) as (other, stand):
        await other("Repeat: tiger")
        await other("Repeat: river")
        async with other.configured() as later:
            await later("Repeat: lamp")

    assert stand.asked == [RESPONSES, CHAT, CHAT, CHAT]


@check("fallback.tools")
async def test_tools(ask: ProviderAsker) -> None:
    """A call before and a result after the fallback make one conversation."""
    question = "What is the weather in Oslo?"
    async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **AUTO) as (other, _):
        first = await other(question, tools=[WEATHER])
        told = result(first.call, "12 degrees, rain")
        reply = await other(question, first, told, tools=[WEATHER])

    assert first.call.arguments == {"city": "Oslo"}
    assert reply.text == "It is 12 degrees, rain in Oslo."


@check("fallback.never")
async def test_never(ask: ProviderAsker) -> None:
    """A wrong key, a limit, a fault or an unknown model is no reason to try the other protocol."""
    for answer, kind in OTHERWISE:
        async with facing(ask, refusing(RESPONSES, answer), **AUTO) as (other, stand):
            error = await other.error("Repeat: tiger river")

        assert type(error) is kind, f"HTTP {answer.status} became {error!r}"
        assert CHAT not in stand.asked


@check("fallback.half-stream")
async def test_half_stream(ask: ProviderAsker) -> None:
    """An answer that has begun is not begun again by the other protocol."""
    async with facing(ask, refusing(RESPONSES, HALF_A_STREAM), **AUTO) as (other, stand):
        error = await other.error("Repeat: tiger river")

    assert str(error)
    assert stand.asked == [RESPONSES]
    assert len(other.emitted("llm:stream_aborted")) == 1


@check("fallback.explicit")
async def test_explicit(ask: ProviderAsker) -> None:
    """A protocol that was set, in a settings file as text, is kept to."""
    missing = refusing(RESPONSES, NO_ROUTE[0])
    async with facing(ask, missing, use_responses_api="true") as (other, by_responses):
        error = await other.error("Repeat: tiger river")
    async with facing(ask, missing, use_responses_api="false") as (other, by_chat):
        reply = await other("Repeat: tiger river")

    assert isinstance(error, llm_errors.NotFoundError)
    assert by_responses.asked == [RESPONSES]
    assert reply.text == "tiger river"
    assert by_chat.asked == [CHAT]
