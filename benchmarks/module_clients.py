"""One client under measurement, in a process and an environment of its own.

    python module_clients.py CLIENT SERVER_URL

prints one JSON object: CPU in µs per streamed chunk (one stream; 100 at once; each chunk
in an HTTP chunk of its own), CPU in µs per whole request, milliseconds to the first token,
and how much memory a stream of 50,000 chunks takes at its peak, in MiB.
"""

# Each client is imported where it is measured: the others are not installed there.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-not-found,unused-ignore"

from __future__ import annotations

import asyncio
import gc
import json
import logging
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import module_events

# Asks with so many chunks and tells, as soon as it is there, that the first token is.
Stream = Callable[[int, Callable[[], None]], Awaitable[int]]
Whole = Callable[[], Awaitable[Any]]
QUESTION = [{"role": "user", "content": "How does the model answer?"}]


def bare(url: str) -> tuple[Stream, Whole]:
    """An HTTP client and a JSON parser: the limit."""
    import httpx2
    import jiter

    client = httpx2.AsyncClient(timeout=600)
    body = {"model": "tiny", "messages": QUESTION}

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        text, rest = [], b""
        asked = {**body, "max_tokens": chunks, "stream": True}
        async with client.stream("POST", f"{url}/chat/completions", json=asked) as response:
            async for received in response.aiter_bytes():
                *events, rest = (rest + received).split(b"\n\n")
                for event in events:
                    if event == b"data: [DONE]":
                        continue
                    choices = jiter.from_json(event[6:])["choices"]
                    if choices and (content := choices[0]["delta"].get("content")):
                        text.append(content)
                first()
        return len("".join(text))

    async def whole() -> Any:
        answer = await client.post(f"{url}/chat/completions", json=body)
        return jiter.from_json(answer.content)["choices"][0]["message"]["content"]

    return stream, whole


def sdk(url: str) -> tuple[Stream, Whole]:
    """Plain AsyncOpenAI: 1.0 in all ratios."""
    from openai import AsyncOpenAI

    client: Any = AsyncOpenAI(base_url=url, api_key="x", max_retries=0)

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        text = []
        answer = await client.chat.completions.create(
            model="tiny", messages=QUESTION, max_tokens=chunks, stream=True
        )
        async for chunk in answer:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                text.append(content)
                first()
        return len("".join(text))

    async def whole() -> Any:
        answer = await client.chat.completions.create(model="tiny", messages=QUESTION)
        return answer.choices[0].message.content

    return stream, whole


def _module(url: str, audience: module_events.Audience | None) -> tuple[Stream, Whole]:
    from amplifier_core.message_models import ChatRequest, Message
    from amplifier_module_provider_openai import OpenAIProvider

    config = {
        "base_url": url,
        "use_responses_api": False,
        "default_model": "tiny",
        "max_concurrent_requests": 0,
    }
    seen: list[Callable[[], None]] = []
    coordinator = audience and module_events.coordinator(audience, seen)
    provider = OpenAIProvider("x", config=config, coordinator=coordinator)
    message = Message(role="user", content=QUESTION[0]["content"])

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        seen.append(first)
        request = ChatRequest(messages=[message], max_output_tokens=chunks)
        answer: Any = await provider.complete(request)
        first()
        return len(answer.text or "")

    async def whole() -> Any:
        request = ChatRequest(messages=[message], metadata={"stream": False})
        answer: Any = await provider.complete(request)
        return answer.text

    return stream, whole


def langchain(url: str) -> tuple[Stream, Whole]:
    """The langchain-openai library."""
    from langchain_openai import ChatOpenAI

    chat: Any = ChatOpenAI(
        base_url=url, api_key="x", model="tiny", max_retries=0, use_responses_api=False
    )

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        text = []
        async for chunk in chat.astream(
            QUESTION, max_tokens=chunks, extra_body={"max_tokens": chunks}
        ):
            text.append(chunk.content)
            first()
        return len("".join(text))

    async def whole() -> Any:
        return (await chat.ainvoke(QUESTION)).content

    return stream, whole


def litellm(url: str) -> tuple[Stream, Whole]:
    """The litellm library."""
    import litellm as library

    fixed = {"model": "openai/tiny", "api_base": url, "api_key": "x", "messages": QUESTION}

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        text = []
        answer: Any = await library.acompletion(**fixed, max_tokens=chunks, stream=True)
        async for chunk in answer:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                text.append(content)
                first()
        return len("".join(text))

    async def whole() -> Any:
        answer: Any = await library.acompletion(**fixed)
        return answer.choices[0].message.content

    return stream, whole


def pydantic_ai(url: str) -> tuple[Stream, Whole]:
    """The pydantic-ai library."""
    from pydantic_ai.direct import model_request, model_request_stream
    from pydantic_ai.messages import ModelRequest
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider as Provider

    model = OpenAIChatModel("tiny", provider=Provider(base_url=url, api_key="x"))
    asked = [ModelRequest.user_text_prompt(QUESTION[0]["content"])]

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        settings: Any = {"extra_body": {"max_tokens": chunks}}
        async with model_request_stream(model, asked, model_settings=settings) as answer:
            async for _ in answer:
                first()
        return sum(len(getattr(part, "content", "")) for part in answer.get().parts)

    async def whole() -> Any:
        return (await model_request(model, asked)).parts

    return stream, whole


def any_llm(url: str) -> tuple[Stream, Whole]:
    """The any-llm library."""
    from any_llm import acompletion

    fixed: dict[str, Any] = {
        "model": "tiny",
        "provider": "openai",
        "api_base": url,
        "api_key": "x",
        "messages": QUESTION,
    }

    async def stream(chunks: int, first: Callable[[], None]) -> int:
        text = []
        answer: Any = await acompletion(**fixed, max_tokens=chunks, stream=True)
        async for chunk in answer:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                text.append(content)
                first()
        return len("".join(text))

    async def whole() -> Any:
        answer: Any = await acompletion(**fixed)
        return answer.choices[0].message.content

    return stream, whole


CLIENTS: dict[str, Callable[[str], tuple[Stream, Whole]]] = {
    "bare": bare,
    "sdk": sdk,
    "sdk-events": lambda url: module_events.sdk_with_events(url, QUESTION, "nobody"),
    "sdk-events-screen": lambda url: module_events.sdk_with_events(url, QUESTION, "screen"),
    "sdk-events-log": lambda url: module_events.sdk_with_events(url, QUESTION, "log"),
    "module": lambda url: _module(url, None),
    "module-events": lambda url: _module(url, "nobody"),
    "module-events-screen": lambda url: _module(url, "screen"),
    "module-events-log": lambda url: _module(url, "log"),
    "langchain-openai": langchain,
    "litellm": litellm,
    "pydantic-ai": pydantic_ai,
    "any-llm": any_llm,
}
CHUNKS, ROUNDS, REQUESTS, AT_ONCE, LONG = 5_000, 5, 200, 100, 50_000


def _nothing() -> None:
    pass


async def _cpu(ask: Callable[[], Awaitable[Any]]) -> float:
    gc.collect()
    begun = time.process_time()
    await ask()
    return time.process_time() - begun


async def _per_chunk(stream: Stream) -> float:
    rounds = [await _cpu(lambda: stream(CHUNKS, _nothing)) for _ in range(ROUNDS)]
    return statistics.median(rounds) / CHUNKS * 1e6


async def _per_chunk_at_once(stream: Stream) -> float:
    async def ask() -> None:
        await asyncio.gather(*(stream(CHUNKS // 20, _nothing) for _ in range(AT_ONCE)))

    rounds = [await _cpu(ask) for _ in range(3)]
    return statistics.median(rounds) / (AT_ONCE * CHUNKS // 20) * 1e6


async def _per_request(whole: Whole) -> float:
    async def ask() -> None:
        for _ in range(REQUESTS):
            await whole()

    rounds = [await _cpu(ask) for _ in range(ROUNDS)]
    return statistics.median(rounds) / REQUESTS * 1e6


async def _first_token(stream: Stream) -> float:
    seen: list[float] = []
    times = []
    for _ in range(50):
        seen.clear()
        begun = time.perf_counter()
        await stream(50, lambda: seen.append(time.perf_counter()))
        times.append(seen[0] - begun)
    return statistics.median(times) * 1e3


async def _memory(stream: Stream) -> float:
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await stream(LONG, _nothing)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


async def _measure(client: str, url: str) -> dict[str, float]:
    stream, whole = CLIENTS[client](f"{url}/v1")
    framed, _ = CLIENTS[client](f"{url}/framed/v1")
    length = await stream(80, _nothing)
    if length < 250 or not await whole():
        raise SystemExit(f"{client} got {length} characters: it does not do what is measured")
    await stream(CHUNKS, _nothing)
    return {
        "memory_mib": await _memory(stream),
        "chunk_us": await _per_chunk(stream),
        "chunk_at_100_us": await _per_chunk_at_once(stream),
        "framed_chunk_us": await _per_chunk(framed),
        "request_us": await _per_request(whole),
        "first_token_ms": await _first_token(stream),
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(_measure(sys.argv[1], sys.argv[2]))))  # noqa: T201
