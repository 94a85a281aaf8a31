"""Usage: how many tokens it took."""

from conformance.ask import Asker
from conformance.check import check


@check("usage.adds-up")
async def test_adds_up(ask: Asker) -> None:
    """Both parts are counted, and their sum is the total."""
    reply = await ask("Repeat: tiger river lamp")

    assert reply.usage is not None
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.completion_tokens > 0
    both = reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.usage.total_tokens == both
