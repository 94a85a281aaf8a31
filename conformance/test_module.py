"""The module as a whole: its models and limits, and several questions at once."""

import itertools

from conformance.at_once import all_of
from conformance.bench import Bench
from conformance.check import check
from conformance.outcome import NotAnswered, Unsupported, about_form
from conformance.provider import ProviderAsker, of_the_module
from conformance.stand_in import always, facing
from conformance.wire import WireAsker, open_client
from reports import Mode

WORDS = ["tiger", "river", "lamp", "plum", "apple", "stone"]


@check("module.context-window")
async def test_context_window(ask: ProviderAsker, bench: Bench) -> None:
    """The context window that the server tells is the one that budgets are made from."""
    told = await _context_window(bench, ask.model)

    with of_the_module("list_models() or get_info()"):
        models = await ask.provider.list_models()
        windows = [model.context_window for model in models if model.id == ask.model]
        default = ask.provider.get_info().defaults.get("context_window")
    assert windows == [told]
    assert default == told


async def _context_window(bench: Bench, model: str) -> int:
    """What the server's list tells of the model. `Unsupported` where it tells nothing readable."""
    async with open_client(bench.url, bench.target.api_key) as client:
        try:
            listed = await WireAsker(client, model, Mode.WHOLE).listed()
        except (AssertionError, NotAnswered) as error:
            raise Unsupported(f"the server's model list can't be read: {error}") from error
    told = next((card.context for card in listed if card.id == model), None)
    if told is None:
        raise Unsupported(f"the server's model list tells no context window of {model}")
    return told


@check("module.concurrent")
async def test_concurrent(ask: ProviderAsker) -> None:
    """Six questions at once get six answers, each its own."""
    texts = await all_of(*(ask.text(f"Repeat: {word}") for word in WORDS))

    with about_form():
        assert len(ask.emitted("llm:response")) == len(WORDS)
    assert texts == WORDS


@check("module.one-at-a-time")
async def test_one_at_a_time(ask: ProviderAsker) -> None:
    """The limit on requests at once is the process's, for servers that have one slot."""
    async with (
        facing(ask, always(None), max_concurrent_requests=1) as (other, stand),
        other.configured() as second,
    ):
        askers = itertools.cycle([other, second])
        asked = (asker.text(f"Repeat: {word}") for asker, word in zip(askers, WORDS, strict=False))
        texts = await all_of(*asked)

    with about_form():
        assert len(stand.asked) == len(WORDS)
        assert stand.most == 1
    assert texts == WORDS
