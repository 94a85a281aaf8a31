"""Discovery and errors: what is served, and what is not."""

from conformance.ask import Asker
from conformance.check import check


@check("discovery.model-list")
async def test_model_list(ask: Asker) -> None:
    """The name that chat requests use stands in the list."""
    assert ask.model in await ask.models()


@check("errors.unknown-route")
async def test_unknown_route(ask: Asker) -> None:
    """The error is told in words, and the next question is answered as if nothing had been."""
    refusal = await ask.astray("Repeat: tiger")
    reply = await ask("Repeat: tiger")

    assert refusal.status == 404
    assert refusal.message
    assert reply.text == "tiger"
