"""Errors: what can't be answered is refused in words, as the client's fault."""

import json
from typing import Any

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import OMITTED
from conformance.outcome import about_form
from conformance.wire import WireAsker

NO_MESSAGES: list[Any] = [OMITTED, [], "Repeat: tiger"]
#: Statuses with which servers say that a model is not there, and that a prompt is too long.
NO_MODEL, TOO_LONG = {400, 404}, {400, 413, 422}
BAD_MESSAGES: list[Any] = ["tiger", {"content": "Repeat: tiger"}, {"role": "user", "content": 5}]


@check("errors.unknown-route")
async def test_unknown_route(ask: Asker) -> None:
    """The error is told in words, and the next question is answered as if nothing had been."""
    refusal = await ask.astray("Repeat: tiger")
    reply = await ask("Repeat: tiger")

    with about_form():
        assert refusal.status == 404
        assert refusal.message
    assert reply.text == "tiger"


@check("errors.malformed-json")
async def test_malformed_json(ask: WireAsker) -> None:
    """A request that breaks off is refused, and the next one is answered."""
    answer = await ask.send_bytes(b'{"model": "tiny", "messages": [')
    reply = await ask("Repeat: tiger")

    with about_form():
        assert answer.refusal.status == 400
    assert reply.text == "tiger"


@check("errors.not-json")
async def test_not_json(ask: WireAsker) -> None:
    """No body at all is refused, and so is what says it is text, be it a request or not."""
    request = json.dumps(ask.body("Repeat: tiger")).encode()
    empty = await ask.send_bytes(b"")
    text = await ask.send_bytes(b"Repeat: tiger", kind="text/plain")
    mislabelled = await ask.send_bytes(request, kind="text/plain")

    assert empty.refusal.message
    assert text.refusal.message
    assert mislabelled.refusal.message


@check("errors.no-messages")
async def test_no_messages(ask: WireAsker) -> None:
    """A request without messages is refused before a stream begins."""
    for messages in NO_MESSAGES:
        answer = await ask.send(messages=messages)
        assert answer.refusal.message


@check("errors.bad-message")
async def test_bad_message(ask: WireAsker) -> None:
    """A message that is none is refused, neither as a failure nor as a route that is missing."""
    for message in BAD_MESSAGES:
        answer = await ask.send(messages=[message])
        assert answer.refusal.status in {400, 422}


@check("errors.unknown-model")
async def test_unknown_model(ask: Asker) -> None:
    """A model that is not there is not silently another one."""
    refusal = await ask.refusal("Repeat: tiger", model="no-such-model")

    assert refusal.status in NO_MODEL


@check("errors.no-model")
async def test_no_model(ask: WireAsker) -> None:
    """A request that names no model is answered by the only one, or refused in words."""
    answer = await ask.send("Repeat: tiger", model=OMITTED)

    answer.ensure_sound()


@check("errors.context-overflow")
async def test_context_overflow(ask: Asker) -> None:
    """Too long a conversation is refused in words that tell why, and not cut at its beginning."""
    secret, padding = "The secret word is plum.", " ".join(["river"] * 2500)

    refusal = await ask.refusal(f"{secret} {padding}", max_tokens=8)

    with about_form():
        assert refusal.status in TOO_LONG
        assert "context" in refusal.message.lower()
