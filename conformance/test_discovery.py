"""Discovery: what is served, and how it is reached."""

import asyncio
from urllib.parse import quote

from conformance.ask import Asker
from conformance.check import check
from conformance.completion import ModelList
from conformance.kept import keeps_its_word
from conformance.outcome import NotSetUp
from conformance.reply import Reply
from conformance.wire import WireAsker

#: Seconds in which a client notices that a connection which it kept was closed. What becomes of
#: a request that comes sooner is discovery.next-request's.
A_MOMENT = 0.02


@check("discovery.model-list")
async def test_model_list(ask: Asker) -> None:
    """The name that chat requests use stands in the list."""
    assert ask.model in await ask.models()


@check("discovery.model-object")
async def test_model_object(ask: WireAsker) -> None:
    """Each model has the four keys that the API promises."""
    listed = await ask.get("models")

    assert ModelList.read(listed.text).data
    models = listed.json["data"]
    for model in models:
        kinds = {key: type(model.get(key)) for key in ("id", "object", "created", "owned_by")}
        assert kinds == {"id": str, "object": str, "created": int, "owned_by": str}


@check("discovery.one-model")
async def test_one_model(ask: WireAsker) -> None:
    """The served model is found by its id, and one that is not there is not found."""
    found = await ask.get(f"models/{quote(ask.model, safe='')}")
    missing = await ask.get("models/no-such-model")

    found.ensure_supported()
    assert found.json.get("id") == ask.model
    assert missing.refusal.status == 404


@check("discovery.any-key")
async def test_any_key(ask: WireAsker) -> None:
    """A server that wants no key minds none: clients can't go without."""
    if "authorization" in ask.client.headers:
        raise NotSetUp("this server wants a key, and has got it")

    ask.client.headers["Authorization"] = "Bearer not-needed"
    reply = await ask("Repeat: tiger")

    assert reply.text == "tiger"


@check("discovery.wrong-key")
async def test_wrong_key(ask: WireAsker) -> None:
    """Where a key is wanted, a wrong one is told as such, in the form that all errors have."""
    wanted = "authorization" in ask.client.headers

    ask.client.headers["Authorization"] = "Bearer wrong"
    answer = await ask.send("Repeat: tiger")

    if answer.status == 200 and not wanted:
        raise NotSetUp("this server was started without a key, and wants none")
    assert answer.refusal.status == 401
    assert isinstance(answer.json.get("error"), dict)


@check("discovery.keep-alive")
async def test_keep_alive(ask: Asker) -> None:
    """Questions one after another are answered, on the connection that was kept or on others."""
    words = ["tiger", "river", "lamp"]

    async with ask.keeping():
        replies = [await _after_a_moment(ask, f"Repeat: {word}") for word in words]

    assert [reply.text for reply in replies] == words


async def _after_a_moment(ask: Asker, question: str) -> Reply:
    await asyncio.sleep(A_MOMENT)
    return await ask(question)


@check("discovery.next-request")
async def test_next_request(ask: WireAsker) -> None:
    """A connection that is said to be kept has an answer to the next request, however soon."""
    url = ask.client.base_url.join("chat/completions")
    body = ask.body("Repeat: tiger")

    key = ask.client.headers.get("authorization")

    kept = [await keeps_its_word(url, body, key) for _ in range(5)]

    assert all(kept), "the connection was said to be kept, and closed without a word"
