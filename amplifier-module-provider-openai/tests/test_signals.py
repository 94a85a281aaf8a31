"""What is no signal for another protocol, and settings that never switch (checks 3, 5, 6)."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import pytest
from amplifier_core import llm_errors as kernel

import amplifier_module_provider_openai as package
from scripted_server import Answer, chunk, completion, response_stream, stream

CHAT, RESPONSES = "/chat/completions", "/responses"
HELLO = stream(chunk("Hello"), chunk(finish="stop"))
FALLBACK = "provider:protocol_fallback"


def names(events):
    return [name for name, _ in events]


def refused(status, message="no", **headers):
    return Answer.json({"error": {"message": message}}, status, headers=headers)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refused(401), id="401"),
        pytest.param(refused(403), id="403"),
        pytest.param(refused(408, "Request Timeout"), id="408"),
        pytest.param(Answer(b"", 408), id="408 without a body"),
        pytest.param(refused(429, **{"retry-after": "0"}), id="429"),
        pytest.param(refused(500), id="500"),
        pytest.param(Answer(b"<html>Bad gateway</html>", 502, "text/html"), id="502 page"),
        pytest.param(refused(503, "Loading model"), id="503"),
        pytest.param(refused(504), id="504"),
        pytest.param(refused(413, "input too large"), id="413"),
    ],
)
async def test_these_answers_are_no_signal(server, make_provider, say, events, answer, streaming):
    server.on(RESPONSES, answer).on(CHAT, HELLO)
    provider = make_provider(max_retries=1, min_retry_delay=0.01)

    for _ in range(2):
        with pytest.raises(kernel.LLMError):
            await provider.complete(say(metadata={"stream": streaming}))

    assert set(server.paths()) == {RESPONSES}
    assert FALLBACK not in names(events)


@pytest.mark.parametrize("streaming", [True, False])
async def test_silence_is_no_signal(server, make_provider, say, events, streaming):
    server.on(RESPONSES, Answer(wait=asyncio.Event())).on(CHAT, HELLO)

    with pytest.raises(kernel.LLMTimeoutError):
        await make_provider().complete(say(timeout=0.2, metadata={"stream": streaming}))

    assert server.paths() == [RESPONSES]
    assert FALLBACK not in names(events)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_break_once_responses_is_known_is_no_signal(
    server, make_provider, say, events, streaming
):
    good = response_stream("Hi")
    server.on(RESPONSES, good, Answer.nothing("reset"), Answer.nothing("reset"), good)
    server.on(CHAT, HELLO if streaming else Answer.json(completion("Hello")))
    provider = make_provider()
    await provider.complete(say())

    with pytest.raises(kernel.NetworkError):
        await provider.complete(say(metadata={"stream": streaming}))
    answer = await provider.complete(say())

    assert answer.text == "Hi"
    assert CHAT not in server.paths()
    assert FALLBACK not in names(events)


CHATS_404 = [
    pytest.param(Answer(b"Not Found", 404, "text/plain"), id="text"),
    pytest.param(Answer.unread_404(), id="reset"),
    pytest.param(refused(404, "File Not Found"), id="llama.cpp"),
    pytest.param(refused(405), id="405"),
]


@pytest.mark.parametrize("setting", ["false", False, "0", "no"])
@pytest.mark.parametrize("answer", CHATS_404)
async def test_chat_by_setting_never_switches(server, make_provider, say, events, setting, answer):
    server.on(CHAT, answer).on(RESPONSES, response_stream("Hi"))
    provider = make_provider(use_responses_api=setting)

    for _ in range(2):
        with pytest.raises(kernel.LLMError):
            await provider.complete(say("x" * 3_000_000))

    assert set(server.paths()) == {CHAT}
    assert FALLBACK not in names(events)


@pytest.mark.parametrize("setting", ["true", True, "1", "yes"])
@pytest.mark.parametrize("answer", [*CHATS_404, pytest.param(HELLO, id="chunks")])
async def test_responses_by_setting_never_switches(
    server, make_provider, say, events, setting, answer
):
    server.on(RESPONSES, answer).on(CHAT, HELLO)
    provider = make_provider(use_responses_api=setting)

    for _ in range(2):
        with pytest.raises(kernel.LLMError):
            await provider.complete(say("x" * 3_000_000))

    assert set(server.paths()) == {RESPONSES}
    assert FALLBACK not in names(events)


async def test_what_one_call_finds_out_changes_no_setting(server, make_provider, say):
    """Explicit settings neither use nor lose what `auto` has found out."""
    server.on(RESPONSES, Answer(b"", 404), response_stream("Hi")).on(CHAT, HELLO)

    found_out = await make_provider().complete(say())
    forced = await make_provider(use_responses_api="true").complete(say())
    again = await make_provider().complete(say())

    assert [found_out.text, forced.text, again.text] == ["Hello", "Hi", "Hello"]
    assert server.paths() == [RESPONSES, CHAT, RESPONSES, CHAT]


async def test_one_request_may_be_whole_and_the_next_one_streamed(
    server, make_provider, say, events
):
    server.on(RESPONSES, Answer(b"", 404)).on(CHAT, Answer.json(completion("Hello")), HELLO)
    provider = make_provider()

    await provider.complete(say(metadata={"stream": False}))
    whole = len([name for name in names(events) if name.startswith("llm:stream")])
    await provider.complete(say())

    assert whole == 0
    assert provider.use_streaming is True
    assert "llm:stream_block_delta" in names(events)
    assert [body.get("stream") for body in server.bodies(CHAT)] == [None, True]


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
async def test_cancelling_closes_the_connection_and_frees_the_slot(
    server, make_provider, say, events, path
):
    server.on(CHAT, stream(chunk("Hel"), done=False, ending="hang"))
    server.on(RESPONSES, response_stream("Hel", complete=False, ending="hang"))
    setting = {"use_responses_api": path == RESPONSES, "max_concurrent_requests": 1}
    provider = make_provider(**setting)
    task = asyncio.create_task(provider.complete(say()))
    while "llm:stream_block_delta" not in names(events):
        await asyncio.sleep(0.01)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):
        while server.open_connections:
            await asyncio.sleep(0.01)

    server.on(CHAT, HELLO).on(RESPONSES, response_stream("Hello"))
    assert (await provider.complete(say())).text == "Hello"
    assert [data["status"] for name, data in events if name == "llm:response"] == ["ok"]


def test_nothing_here_needs_httpx():
    """The SDK has another HTTP library from 3.0 on."""
    trees = [ast.parse(path.read_text()) for path in Path(package.__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

    roots = {name.partition(".")[0] for name in imported}
    assert not roots & {"httpx", "httpx2", "httpcore", "httpcore2"}
    assert "openai" in roots
