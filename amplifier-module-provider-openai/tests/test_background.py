"""Background mode, which OpenAI bills whether anybody waits for it or not (contract §2.2)."""

from __future__ import annotations

import pytest
from amplifier_core import llm_errors as kernel

from scripted_server import Answer, response

RESPONSES = "/responses"
OPENAI = "api.openai.com"
BACKGROUND = {"poll_interval": 0.01, "min_retry_delay": 0.01, "retry_jitter": "false"}
QUEUED = Answer.json(response(status="queued", output=[]))


async def test_a_background_that_takes_too_long_is_paid_once(server, make_provider, say, url_at):
    server.on(RESPONSES, QUEUED).on("/responses/resp_1", QUEUED)
    provider = make_provider(
        base_url=url_at(OPENAI), background_timeout="0.2", max_retries=2, **BACKGROUND
    )

    with pytest.raises(kernel.LLMTimeoutError) as caught:
        await provider.complete(say(), background=True)

    assert "0.2" in str(caught.value)
    assert server.paths().count(RESPONSES) == 1


async def test_a_background_is_not_bound_by_the_ordinary_timeout(
    server, make_provider, say, url_at
):
    done = Answer.json(response(text="Done"))
    server.on(RESPONSES, QUEUED).on("/responses/resp_1", *[QUEUED] * 10, done)
    provider = make_provider(base_url=url_at(OPENAI), timeout=0.05, **BACKGROUND)

    answer = await provider.complete(say(), background=True)

    assert answer.text == "Done"


async def test_polls_that_fail_are_not_paid_anew(server, make_provider, say, url_at):
    busy = Answer.json({"error": {"message": "busy"}}, 503)
    server.on(RESPONSES, QUEUED).on("/responses/resp_1", busy)
    provider = make_provider(base_url=url_at(OPENAI), max_retries=2, **BACKGROUND)

    with pytest.raises(kernel.ProviderUnavailableError):
        await provider.complete(say(), background=True)

    assert server.paths().count(RESPONSES) == 1


@pytest.mark.parametrize("background", [True, False])
async def test_a_response_that_was_cancelled_is_a_failure(
    server, make_provider, say, url_at, background
):
    cancelled = Answer.json(response(status="cancelled", output=[]))
    server.on(RESPONSES, QUEUED if background else cancelled).on("/responses/resp_1", cancelled)
    provider = make_provider(base_url=url_at(OPENAI), **BACKGROUND)
    request = say(metadata={"stream": False})

    with pytest.raises(kernel.LLMError, match="cancelled") as caught:
        await provider.complete(request, background=background)

    assert caught.value.retryable is not background
    assert server.paths().count(RESPONSES) == 1
