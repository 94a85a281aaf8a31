"""Text: the model's words, whole, streamed and cut."""

import asyncio
import time

from conformance.answer import Answer
from conformance.ask import Asker
from conformance.at_once import all_of
from conformance.check import check
from conformance.limited import FORTY, ensure_cut
from conformance.outcome import about_form
from conformance.wire import WireAsker

#: Seconds by which a server's clock may differ from the client's.
AN_HOUR = 3600
ANIMALS = ["tiger", "rabbit", "horse", "eagle", "whale", "lion", "zebra", "camel"]


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


@check("text.max-tokens")
async def test_max_tokens(ask: Asker) -> None:
    """Forty numbers don't fit into eight tokens."""
    reply = await ask(FORTY, max_tokens=8)

    await ensure_cut(ask, reply, 8)
    assert reply.text or reply.reasoning
    assert "40" not in reply.text


@check("text.stop")
async def test_stop(ask: Asker) -> None:
    """Counting ends before the seven, and nothing of it is seen."""
    reply = await ask("Count to 9.", stop=[" 7"])

    assert reply.text == "1 2 3 4 5 6"
    assert reply.finish_reason == "stop"


@check("text.unicode")
async def test_unicode(ask: Asker) -> None:
    """Accents, Chinese and a picture of several characters come back as they were given."""
    texts = ["café naïve", "你好 世界", "👩‍💻 👍🏽"]

    replies = [await ask(f"Repeat: {text}") for text in texts]

    assert [reply.text for reply in replies] == texts


@check("text.long-message")
async def test_long_message(ask: Asker) -> None:
    """Of a message of three hundred words, every one is counted."""
    reply = await ask(" ".join(["river"] * 300), max_tokens=8)

    with about_form():
        assert reply.usage is not None
        assert reply.usage.prompt_tokens > 300
    assert reply.text or reply.reasoning


@check("text.blank-message")
async def test_blank_message(ask: WireAsker) -> None:
    """A message without a word is answered, or refused in words."""
    empty = await ask.send("")
    blank = await ask.send("  \n ")

    empty.ensure_sound()
    blank.ensure_sound()


@check("text.at-once")
async def test_at_once(ask: Asker) -> None:
    """Eight questions at once get eight answers, each its own."""
    replies = await all_of(*(ask(f"Repeat: {animal}") for animal in ANIMALS))

    assert [reply.text for reply in replies] == ANIMALS


@check("text.envelope")
async def test_envelope(ask: WireAsker) -> None:
    """The time is now, the model has a name, and there is one choice, the first."""
    answer = await ask.send("Repeat: tiger")
    reply, body = answer.reply, answer.json

    with about_form():
        assert isinstance(body.get("created"), int)
        assert abs(body["created"] - time.time()) < AN_HOUR
        assert body["model"]
        assert [choice["index"] for choice in body["choices"]] == [0]
    assert reply.text == "tiger"


@check("text.ids-unique")
async def test_ids_unique(ask: WireAsker) -> None:
    """As many answers as make two of a thousand ids meet all but surely have each its own."""
    at_once = asyncio.Semaphore(8)

    async def answered() -> Answer:
        async with at_once:
            return await ask.send("Repeat: tiger", max_tokens=1)

    answers = await all_of(*(answered() for _ in range(150)))

    ids = {answer.json.get("id") for answer in answers}
    assert len(ids) == len(answers), f"{len(answers)} answers have {len(ids)} ids"


@check("text.message-keys")
async def test_message_keys(ask: WireAsker) -> None:
    """Content is there, and calls are not where none were made."""
    answer = await ask.send("Repeat: tiger")

    reply, message = answer.reply, answer.json["choices"][0]["message"]
    with about_form():
        assert "content" in message
        assert "tool_calls" not in message, message["tool_calls"]
    assert reply.text == "tiger"
