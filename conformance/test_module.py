"""The module as a whole: its models and limits, and several questions at once."""

import asyncio

from conformance.bench import Bench
from conformance.check import check
from conformance.completion import ModelList
from conformance.outcome import Unsupported
from conformance.provider import ProviderAsker
from conformance.stand_in import always, facing
from conformance.wire import open_client

WORDS = ["tiger", "river", "lamp", "plum", "apple", "stone"]


@check("module.context-window")
async def test_context_window(ask: ProviderAsker, bench: Bench) -> None:
    """The context window that the server tells is the one that budgets are made from."""
    async with open_client(bench.url, bench.target.api_key) as client:
        listed = ModelList.read((await client.get("models")).text)
    told = next((size for card in listed.data if (size := card.context)), None)
    if told is None:
        raise Unsupported("the server's model list tells no context window")

    models = await ask.provider.list_models()

    assert [model.context_window for model in models if model.id == ask.model] == [told]
    assert ask.provider.get_info().defaults["context_window"] == told


@check("module.concurrent")
async def test_concurrent(ask: ProviderAsker) -> None:
    """Six questions at once get six answers, each its own."""
    texts = await asyncio.gather(*(ask.text(f"Repeat: {word}") for word in WORDS))

    assert texts == WORDS
    assert len(ask.emitted("llm:response")) == len(WORDS)


@check("module.one-at-a-time")
async def test_one_at_a_time(ask: ProviderAsker) -> None:
    """The limit on requests at once is kept to, for servers that have one slot."""
    async with facing(ask, always(None), max_concurrent_requests=1) as (other, stand):
        texts = await asyncio.gather(*(other.text(f"Repeat: {word}") for word in WORDS))

    assert texts == WORDS
    assert len(stand.asked) == len(WORDS)
    assert stand.most == 1
