"""What finding out the protocol costs the first call, on a server like mlx_lm's.

    python benchmarks/module_fallback.py

Prints medians over fresh base URLs: a call by Chat Completions as set, and a first call
under `auto` that meets a 404 and a reset first, for a small and a large request.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

MODULE = Path(__file__).parents[1] / "amplifier-module-provider-openai"
sys.path.insert(0, str(MODULE))

from amplifier_core.message_models import ChatRequest, Message  # noqa: E402
from amplifier_module_provider_openai import OpenAIProvider  # noqa: E402
from scripted_server import Answer, ScriptedServer, chunk, stream  # noqa: E402

ROUNDS = 30


async def first_call(setting: str, size: int) -> float:
    """Milliseconds of one streamed call to a server nobody has talked to yet."""
    async with ScriptedServer() as server:
        server.on("/responses", Answer.unread_404())
        server.on("/chat/completions", stream(chunk("Hi"), chunk(finish="stop")))
        config = {"base_url": server.base_url, "use_responses_api": setting, "max_retries": 0}
        provider = OpenAIProvider("x", config=config)
        request = ChatRequest(messages=[Message(role="user", content="x" * size)])
        begun = time.perf_counter()
        await provider.complete(request)
        took = time.perf_counter() - begun
        await provider.close()
        return took * 1e3


async def main() -> None:
    """Measure, and print one line for each size."""
    for size in (100, 3_000_000):
        chat = [await first_call("false", size) for _ in range(ROUNDS)]
        found = [await first_call("auto", size) for _ in range(ROUNDS)]
        figures = statistics.median(chat), statistics.median(found)
        print(f"{size:>9,} bytes: set {figures[0]:.1f} ms, found out {figures[1]:.1f} ms")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
