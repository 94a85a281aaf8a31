"""Text: the model's words, whole, streamed and cut."""

from conformance.ask import Asker
from conformance.check import check


@check("text.plain")
async def test_plain(ask: Asker) -> None:
    """Three words come back as they were given."""
    reply = await ask("Repeat: tiger river lamp")

    assert reply.text == "tiger river lamp"
    assert reply.finish_reason == "stop"


@check("text.stream-same")
async def test_stream_same(ask: Asker) -> None:
    """Ten numbers come in pieces, and the pieces make the whole answer."""
    streamed = await ask("Count to 10.")
    whole = await ask.whole("Count to 10.")

    assert streamed.text == whole.text
    assert "".join(streamed.deltas) == whole.text
    assert len(streamed.deltas) > 1


@check("text.max-tokens")
async def test_max_tokens(ask: Asker) -> None:
    """Forty numbers don't fit into eight tokens."""
    reply = await ask("Count to 40.", max_tokens=8)

    assert reply.finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 8
    assert reply.text
    assert "40" not in reply.text


@check("text.stop")
async def test_stop(ask: Asker) -> None:
    """Counting ends before the seven, and nothing of it is seen."""
    reply = await ask("Count to 9.", stop=[" 7"])

    assert reply.text == "1 2 3 4 5 6"
    assert reply.finish_reason == "stop"
