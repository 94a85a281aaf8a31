"""Usage: how many tokens it took."""

from conformance.answer import Answer
from conformance.ask import Asker
from conformance.check import check
from conformance.completion import DetailedUsage
from conformance.outcome import NotSetUp, Unsupported, about_form, ensure_form
from conformance.wire import WireAsker
from fixtures.tools import WEATHER
from reports import Mode

LONG = " ".join(["river"] * 200)


@check("usage.adds-up")
async def test_adds_up(ask: Asker) -> None:
    """Both parts are counted, and their sum is the total."""
    reply = await ask("Repeat: tiger river lamp")

    with about_form():
        assert reply.usage is not None
        assert reply.usage.prompt_tokens > 0
        assert reply.usage.completion_tokens > 0
        both = reply.usage.prompt_tokens + reply.usage.completion_tokens
        assert reply.usage.total_tokens == both


def usage(answer: Answer, mode: Mode) -> DetailedUsage:
    """What an answer, or one chunk of a stream, tells of tokens. It must be told once."""
    answer.ensure_answered()
    bodies = [answer.json] if mode is Mode.WHOLE else answer.chunks
    told = [body["usage"] for body in bodies if body.get("usage")]
    ensure_form(len(told) == 1, f"usage was told {len(told)} times")
    return DetailedUsage.of(told[0])


@check("usage.with-tools")
async def test_with_tools(ask: Asker) -> None:
    """A call costs tokens, and they are told."""
    reply = await ask("What is the weather in Oslo?", tools=[WEATHER])

    with about_form():
        assert reply.usage is not None
        assert reply.usage.completion_tokens > 1
    assert reply.call.name == "get_weather"


@check("usage.several")
async def test_several(ask: WireAsker) -> None:
    """Two answers cost what two answers cost, and it is told once."""
    one = await ask.send("Repeat: tiger river lamp", temperature=0.7)
    two = await ask.send("Repeat: tiger river lamp", temperature=0.7, n=2)

    two.ensure_supported()
    single, double = usage(one, ask.mode), usage(two, ask.mode)
    assert double.completion_tokens == 2 * single.completion_tokens


@check("usage.cached")
async def test_cached(ask: WireAsker) -> None:
    """Of a long prompt that comes again some tokens are from the cache, and never more than all."""
    # llama.cpp alone knows the field; the suite starts it, as all servers, without a cache.
    question = {"max_tokens": 1, "cache_prompt": True}
    told = [usage(await ask.send(LONG, **question), ask.mode) for _ in range(2)]

    cached = [_cached(one) for one in told]
    assert all(few <= one.prompt_tokens for few, one in zip(cached, told, strict=True))
    if not cached[-1]:
        raise NotSetUp("no token came from a cache, which may be off")


def _cached(told: DetailedUsage) -> int:
    if told.cached is None:
        raise Unsupported("nothing is told of cached tokens")
    return told.cached
