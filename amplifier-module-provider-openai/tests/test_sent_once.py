"""When a request is sent again without being asked for, and what an error gives away (§4)."""

from __future__ import annotations

import asyncio
import logging

import pytest
from amplifier_core import llm_errors as kernel

from amplifier_module_provider_openai import completion as completion_module
from amplifier_module_provider_openai.endpoint import Endpoint
from scripted_server import Answer, Request, chunk, completion, response, stream

CHAT = "/chat/completions"
PATHS = [(CHAT, completion("ok"), False), ("/responses", response(text="ok"), True)]


@pytest.fixture(params=PATHS, ids=["chat", "responses"])
def second_call(request, server, make_provider, say):
    """How the second call ends, when the first has left a connection, and how often it asked."""

    async def call(answer, *, provider=None):
        path, good, by_responses = request.param
        server.on(path, Answer.json(good), answer, Answer.json(good))
        provider = provider or make_provider(use_responses_api=by_responses)
        whole = say(metadata={"stream": False})
        await provider.complete(whole)
        try:
            await provider.complete(whole)
        except kernel.LLMError as error:
            return error, len(server.requests) - 1
        return None, len(server.requests) - 1

    return call


async def test_a_dead_connection_is_replaced(second_call):
    assert await second_call(Answer.nothing("reset")) == (None, 2)


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_an_answer_that_breaks_off_is_not_asked_for_again(second_call, ending):
    begun = Answer(pieces=[b'{"id": '], ending=ending)

    error, requests = await second_call(begun)

    assert isinstance(error, kernel.NetworkError | kernel.StreamError)
    assert requests == 1


async def test_a_server_that_breaks_at_work_is_not_asked_again(second_call, monkeypatch):
    monkeypatch.setattr(completion_module, "_DEAD_WITHIN", 0.1)
    worked = asyncio.Event()

    def work(_request: Request) -> Answer:
        asyncio.get_running_loop().call_later(0.3, worked.set)
        return Answer(status=0, read_body=True, ending="reset", wait=worked)

    error, requests = await second_call(work)

    assert isinstance(error, kernel.NetworkError)
    assert requests == 1


async def test_openai_is_never_asked_twice(second_call, monkeypatch):
    monkeypatch.setattr(Endpoint, "is_custom", False)

    _, requests = await second_call(Answer.nothing("reset"))

    assert requests == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer.json({"error": {"message": "bad key test-key"}}, 401),
        Answer(b"no, test-key", 400, "text/plain"),
        Answer(b"<html>test-key</html>", content_type="text/html"),
        stream(chunk("Hel"), {"error": "refused for test-key"}),
    ],
)
@pytest.mark.parametrize("path", [CHAT, "/responses"])
async def test_the_traceback_of_an_error_does_not_tell_the_key(
    server, make_provider, say, caplog, path, answer
):
    server.on(path, answer)

    with pytest.raises(kernel.LLMError) as caught:
        await make_provider(use_responses_api=path != CHAT).complete(say())
    logging.getLogger(__name__).error("failed", exc_info=caught.value)

    assert caught.value.__cause__ is not None
    assert "Traceback" in caplog.text
    assert "test-key" not in caplog.text
