"""One request, this module and plain AsyncOpenAI taking turns in one process.

    python benchmarks/module_requests.py

Turns even out what a busy machine does to separate runs. Prints medians and the ratio to
the loop over AsyncOpenAI that emits as many events to the same audience: CPU in µs of whole
answers and of streams of eight chunks, and µs until the first token of fifty is there.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.module_clients import CLIENTS
from benchmarks.provider_overhead import LIKES, server

NAMES = tuple(name for name in CLIENTS if name.startswith(("sdk", "module")))
ROUNDS, REQUESTS = 15, 50


async def cpu(ask: Callable[[], Awaitable[Any]]) -> float:
    """CPU in µs of one request, the mean of a round."""
    begun = time.process_time()
    for _ in range(REQUESTS):
        await ask()
    return (time.process_time() - begun) / REQUESTS * 1e6


async def compare(asks: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, float]:
    """Medians over rounds in which all take their turn; a first round warms up."""
    rounds = [{name: await cpu(ask) for name, ask in asks.items()} for _ in range(ROUNDS + 1)]
    return {name: statistics.median(figures[name] for figures in rounds[1:]) for name in asks}


async def first_token(stream: Callable[[int, Callable[[], None]], Awaitable[int]]) -> float:
    """Time in µs until the first token of a stream is there, the mean of a round."""
    waited = 0.0
    for _ in range(REQUESTS):
        seen: list[float] = []
        begun = time.perf_counter()
        await stream(50, lambda seen=seen: seen.append(time.perf_counter()))  # type: ignore[misc]
        waited += seen[0] - begun
    return waited / REQUESTS * 1e6


async def first_tokens(streams: dict[str, Any]) -> dict[str, float]:
    """Medians over rounds in which all take their turn; a first round warms up."""
    rounds = [{n: await first_token(stream) for n, stream in streams.items()} for _ in range(8)]
    return {name: statistics.median(figures[name] for figures in rounds[1:]) for name in streams}


async def main() -> None:
    """Measure, and print one line for each client."""
    with server(Path(sys.executable)) as url:
        clients = {name: CLIENTS[name](f"{url}/framed/v1") for name in NAMES}
        whole = await compare({name: asks[1] for name, asks in clients.items()})
        short = await compare({name: _short(asks[0]) for name, asks in clients.items()})
        first = await first_tokens({name: asks[0] for name, asks in clients.items()})
    for name in NAMES:
        columns = zip(("whole", "eight chunks", "first token"), (whole, short, first), strict=True)
        cells = (f"{what} {_cell(name, figures)}" for what, figures in columns)
        print(f"{name:<21}" + "   ".join(cells))  # noqa: T201


def _cell(name: str, figures: dict[str, float]) -> str:
    return f"{figures[name]:6.0f} µs ({figures[name] / figures[LIKES.get(name, 'sdk')]:.2f})"


def _short(stream: Callable[[int, Callable[[], None]], Awaitable[int]]) -> Callable[..., Any]:
    return lambda: stream(8, lambda: None)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
