"""Fallback: a server that speaks Chat Completions only is found out, without anybody noticing."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from amplifier_core import llm_errors

from conformance.at_once import all_of
from conformance.canned import (
    BROKEN,
    BUSY,
    CONFUSED,
    HALF_A_STREAM,
    NO_KEY,
    NO_MODEL,
    NO_ROUTE,
    NO_ROUTE_AND_RESET,
    NO_STREAM,
    NOT_YOU,
    RESET,
    RESPONSE,
    SILENCE,
    SLOW_DOWN,
    TOO_LONG,
    refused,
)
from conformance.check import check
from conformance.conversation import assistant, result
from conformance.outcome import about_form
from conformance.provider import ProviderAsker, of_the_module
from conformance.stand_in import Canned, facing, in_turn, nobody, refusing
from fixtures.tools import WEATHER
from reports import Mode

#: With retries, which a fallback must not use up.
AUTO = {"use_responses_api": "auto", "max_retries": 2, "min_retry_delay": 0.01}
#: Without, where an error is what is looked for.
ONCE = {**AUTO, "max_retries": 0}
FALLBACK = "provider:protocol_fallback"
RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
#: What says nothing about the protocol.
OTHERWISE: list[tuple[Canned, type[llm_errors.LLMError]]] = [
    (NO_KEY, llm_errors.AuthenticationError),
    (NOT_YOU, llm_errors.AccessDeniedError),
    (refused(408, "too slow"), llm_errors.LLMError),
    (SLOW_DOWN, llm_errors.RateLimitError),
    (BROKEN, llm_errors.ProviderUnavailableError),
    (BUSY, llm_errors.ProviderUnavailableError),
    (NO_MODEL, llm_errors.NotFoundError),
    (TOO_LONG[0], llm_errors.ContextLengthError),
    (SILENCE, llm_errors.LLMTimeoutError),
]
#: Hosts that have Responses, whatever they answer.
OWN_HOSTS = [
    "api.openai.com",
    "eu.api.openai.com",
    "tiny.openai.azure.com",
    "tiny.cognitiveservices.azure.com",
    "tiny.services.ai.azure.com",
]


@check("fallback.missing-route")
async def test_missing_route(ask: ProviderAsker) -> None:
    """Whatever way the server says that it has no Responses API, the answer comes by Chat."""
    for answer in NO_ROUTE:
        async with facing(ask, refusing(RESPONSES, answer), **AUTO) as (other, stand):
            reply = await other("Repeat: tiger river")

        with about_form():
            assert stand.asked == [RESPONSES, CHAT]
            assert len(other.emitted(FALLBACK)) == 1
        assert reply.text == "tiger river"


@check("fallback.confused")
async def test_confused(ask: ProviderAsker) -> None:
    """A route that doesn't understand Responses is as good as none."""
    for answer in CONFUSED if ask.mode is Mode.WHOLE else [*CONFUSED, NO_STREAM]:
        async with facing(ask, refusing(RESPONSES, answer), **AUTO) as (other, stand):
            reply = await other("Repeat: tiger river")

        with about_form():
            assert stand.asked == [RESPONSES, CHAT]
        assert reply.text == "tiger river"


@check("fallback.reset")
async def test_reset(ask: ProviderAsker) -> None:
    """mlx_lm.server answers 404 and breaks the connection; users met "ReadError (no message)"."""
    for answer in (NO_ROUTE_AND_RESET, RESET):
        async with facing(ask, refusing(RESPONSES, answer), **AUTO) as (other, stand):
            reply = await other("Repeat: tiger river")

        with about_form():
            assert stand.asked == [RESPONSES, CHAT]
            assert not other.emitted("provider:retry")
        assert reply.text == "tiger river"


@check("fallback.one-request")
async def test_one_request(ask: ProviderAsker) -> None:
    """The session sees one request and one response, and no retry."""
    async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **AUTO) as (other, _):
        await other("Repeat: tiger river")

    with about_form():
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

    with about_form():
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
        settings = ONCE | ({"timeout": 0.2} if answer is SILENCE else {})
        async with facing(ask, refusing(RESPONSES, answer), **settings) as (other, stand):
            error = await other.error("Repeat: tiger river")

        assert type(error) is kind, f"HTTP {answer.status} became {error!r}"
        assert stand.asked.count(RESPONSES) <= 1
        assert CHAT not in stand.asked
        assert not other.emitted(FALLBACK)
    with nobody() as url:
        async with ask.configured(**{**ONCE, "base_url": url}) as other:
            error = await other.error("Repeat: tiger river")
    assert f"{url}/responses" in str(error)
    assert not other.emitted(FALLBACK)


@check("fallback.half-stream")
async def test_half_stream(ask: ProviderAsker) -> None:
    """An answer that has begun is not begun again by the other protocol."""
    async with facing(ask, refusing(RESPONSES, HALF_A_STREAM), **ONCE) as (other, stand):
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
        request = other.request("Repeat: tiger river")
        ended = await other.ended(request, use_responses_api=True)

    with about_form():
        assert isinstance(error, llm_errors.NotFoundError)
        assert by_responses.asked == [RESPONSES]
        assert isinstance(ended, llm_errors.NotFoundError), f"complete() gave {ended!r}"
        assert by_chat.asked == [CHAT, RESPONSES]
    assert reply.text == "tiger river"


@check("fallback.told")
async def test_told(ask: ProviderAsker) -> None:
    """Whoever looks for the reason finds it, and the setting that saves the attempt."""
    with heard() as records:
        async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **AUTO) as (other, stand):
            await other("Repeat: tiger")
            await other("Repeat: river")

    named = [one for one in records if "use_responses_api" in one.getMessage()]
    with about_form():
        assert len(other.emitted(FALLBACK)) == 1
        told = other.emitted(FALLBACK)[0]
        assert told["provider"] == other.provider.name
        assert told["model"] == ask.model
        assert (told["base_url"], told["status_code"]) == (stand.url, 404)
        assert (told["from"], told["to"]) == ("responses", "chat_completions")
        assert told["reason"]
        assert [one.levelname for one in named] == ["INFO"]


@check("fallback.both-fail")
async def test_both_fail(ask: ProviderAsker) -> None:
    """When Chat fails too, both errors are told, and nothing is taken to be found out."""
    answers = in_turn(RESET, BROKEN, RESET, BROKEN)
    async with facing(ask, answers, **ONCE) as (other, stand):
        errors = [await other.error("Repeat: tiger river") for _ in range(2)]

    with about_form():
        assert stand.asked == [RESPONSES, CHAT] * 2
        for error in errors:
            assert isinstance(error, llm_errors.ProviderUnavailableError), repr(error)
            assert "oops" in str(error)
            assert "connection" in str(error)


@check("fallback.one-discovery")
async def test_one_discovery(ask: ProviderAsker) -> None:
    """Questions that come at once wait for the first one to find out."""
    words = ["tiger", "river", "lamp"]
    async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **AUTO) as (other, stand):
        texts = await all_of(*(other.text(f"Repeat: {word}") for word in words))

    with about_form():
        assert sorted(stand.asked) == [CHAT, CHAT, CHAT, RESPONSES]
    assert texts == words


@check("fallback.later-turn")
async def test_later_turn(ask: ProviderAsker) -> None:
    """A server that understands the first turn and not the second is asked by Chat then."""
    answers = in_turn(RESPONSE[ask.mode], CONFUSED[0])
    async with facing(ask, answers, **AUTO) as (other, stand):
        first = await other("My name is Ana.")
        reply = await other("My name is Ana.", assistant("Hello Ana."), "What is my name?")

    with about_form():
        assert stand.asked == [RESPONSES, RESPONSES, CHAT]
    assert first.text == reply.text == "Ana"


@check("fallback.new-server")
async def test_new_server(ask: ProviderAsker) -> None:
    """When the server has changed, it is found out anew."""
    answers = in_turn(NO_ROUTE[0], None, NO_ROUTE[0], RESPONSE[ask.mode])
    async with facing(ask, answers, **ONCE) as (other, stand):
        await other("Repeat: tiger")
        error = await other.error("Repeat: tiger")
        reply = await other("Repeat: tiger")

    with about_form():
        assert isinstance(error, llm_errors.NotFoundError), repr(error)
        assert stand.asked == [RESPONSES, CHAT, CHAT, RESPONSES]
    assert reply.text == "Ana"


@check("fallback.own-hosts")
async def test_own_hosts(ask: ProviderAsker) -> None:
    """OpenAI and Azure have Responses: what they refuse is an error."""
    for host in OWN_HOSTS:
        async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **ONCE) as (other, stand):
            there = urlsplit(stand.url)
            url = there._replace(netloc=f"{host}:{there.port}").geturl()
            with every_host_is_local():
                async with other.configured(base_url=url, api_key="not-a-key") as away:
                    error = await away.error("Repeat: tiger river")

        assert isinstance(error, llm_errors.NotFoundError), repr(error)
        assert stand.asked == [RESPONSES]


@check("fallback.own-client")
async def test_own_client(ask: ProviderAsker) -> None:
    """A subclass with a client of its own, as Azure's provider is one, stays with Responses."""
    async with facing(ask, refusing(RESPONSES, NO_ROUTE[0]), **ONCE) as (other, stand):
        request = other.request("Repeat: tiger river")
        with of_the_module("a subclass with a client of its own"):
            kind = subclass_of(type(other.provider))
            provider = kind(api_key="local", config=other.entry["config"])
            tried = asyncio.gather(provider.complete(request), return_exceptions=True)
            ended: object = (await tried)[0]
            await provider.close()

    assert isinstance(ended, llm_errors.NotFoundError), f"complete() gave {ended!r}"
    assert stand.asked == [RESPONSES]


def subclass_of(kind: Any) -> Any:
    """A provider that makes its own client, which is the same one here."""
    return type(kind.__name__, (kind,), {"client": property(kind.client.fget)})


@contextmanager
def every_host_is_local() -> Iterator[None]:
    """Every name leads to this machine, so that nothing goes out under a name of OpenAI's."""
    real = socket.getaddrinfo

    def found(_: Any, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1", *args, **options)

    with patch.object(socket, "getaddrinfo", found):
        yield


@contextmanager
def heard() -> Iterator[list[logging.LogRecord]]:
    """All that is logged meanwhile, from INFO on."""
    handler = _Recorder()
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield handler.records
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class _Recorder(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
