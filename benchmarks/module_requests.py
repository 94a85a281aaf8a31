"""CPU of one request, this module and plain AsyncOpenAI taking turns in one process.

    python benchmarks/module_requests.py

Turns even out what a busy machine does to separate runs. Prints medians in µs and the
ratio, for whole answers and for streams of eight chunks.
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
from benchmarks.provider_overhead import server

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


async def main() -> None:
    """Measure, and print one line for each client."""
    with server(Path(sys.executable)) as url:
        clients = {name: CLIENTS[name](f"{url}/framed/v1") for name in NAMES}
        whole = await compare({name: asks[1] for name, asks in clients.items()})
        short = await compare({name: _short(asks[0]) for name, asks in clients.items()})
    for name in NAMES:
        ratios = whole[name] / whole["sdk"], short[name] / short["sdk"]
        print(  # noqa: T201
            f"{name:<20} whole {whole[name]:6.0f} µs ({ratios[0]:.2f})   "
            f"eight chunks {short[name]:6.0f} µs ({ratios[1]:.2f})"
        )


def _short(stream: Callable[[int, Callable[[], None]], Awaitable[int]]) -> Callable[..., Any]:
    return lambda: stream(8, lambda: None)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
