"""What the suite costs beside its requests: `python benchmarks/suite_overhead.py [RUNS]`.

Starts llama.cpp natively and warms it up; runs the whole catalogue against it, from the command to
the report, once in one process, and then with `pytest -n 3` again and again, each time followed by
a bare httpx client that sends the very same requests to the same server, one after another, and
hangs up where the suite did. Prints the times of each pair, and the median of the ratios: the
machine's own pace changes within minutes, and a pair shares it. Four minutes for five pairs; a
quiet machine is needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import httpx

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from reports import Exchange, load  # noqa: E402
from reports.curl import STAND_IN  # noqa: E402
from servers import Target  # noqa: E402
from tests.llamacpp import llamacpp  # noqa: E402

BAR = 1.5
RUNS = 5
WORKERS = "-n3"
#: Seconds that the bare client waits for an answer of which the suite saw nothing.
GLANCE = 0.001
_OWN_TO_A_CLIENT = {"host", "content-length", "connection", "transfer-encoding"}
#: Warm is with compiled code on disk, as everywhere but where this variable is set.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def main(runs: int) -> int:
    """Exit status 0 where the bar is met."""
    with tempfile.TemporaryDirectory() as folder, llamacpp(Path(folder)) as target:
        _say(f"{target.title} {target.version} {target.build}, {target.how}")
        _suite(target, Path(folder) / "warm-up", "--checks=text.*")
        alone = _suite(target, Path(folder) / "alone")
        sent = _sent(Path(folder) / "alone")
        _say(f"one process {alone:.2f} s, {len(sent)} requests\n  {WORKERS} s  bare s   ratio")
        pairs = [_pair(target, Path(folder) / str(number), sent) for number in range(runs)]
    shared = median(suite / bare for suite, bare in pairs)
    single = alone / median(bare for _, bare in pairs)
    _say(f"median of {runs}, bare client 1.0: {WORKERS} {shared:.2f}, bar {BAR}; one {single:.2f}")
    return 0 if shared <= BAR else 1


def _sent(folder: Path) -> list[Exchange]:
    """What a run asked the server, in the order in which it did."""
    results = load(folder / "report.json").results
    # Invariants repeat the exchanges of the check that they watched.
    own = [one for result in results if result.case is None for one in result.exchanges]
    # What stand-ins answered never reached the server; what has no status was lost on the way, or
    # reset by a fault of the suite's own.
    return [one for one in own if one.status and not one.url.startswith(STAND_IN)]


def _pair(target: Target, folder: Path, sent: list[Exchange]) -> tuple[float, float]:
    """Seconds of the suite, and right after it of a bare client."""
    shared, bare = _suite(target, folder, WORKERS), _bare(sent)
    _say(f"{shared:>7.2f}{bare:>8.2f}{shared / bare:>8.2f}")
    return shared, bare


def _suite(target: Target, folder: Path, *more: str) -> float:
    server = f"--server={target.url},kind=llamacpp,model={target.model}"
    command = [sys.executable, "-m", "pytest", server, f"--report-dir={folder}", *more]
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=_ENVIRONMENT, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"the gate is not green, so nothing is compared:\n{done.stdout[-3000:]}")
    return taken


def _bare(sent: Iterable[Exchange]) -> float:
    began = time.perf_counter()
    with httpx.Client(trust_env=False, timeout=60) as client:
        for exchange in sent:
            _send(client, exchange)
    return time.perf_counter() - began


def _send(client: httpx.Client, exchange: Exchange) -> None:
    """One request, read to the end of its answer, or as far as the suite read it."""
    headers = [(k, v) for k, v in exchange.request_headers if k.lower() not in _OWN_TO_A_CLIENT]
    body, far = exchange.request_body.raw, _read_until(exchange)
    timeout = client.timeout if far != 0 else httpx.Timeout(60, read=GLANCE)
    sent = client.stream(
        exchange.method, exchange.url, content=body, headers=headers, timeout=timeout
    )
    try:
        with sent as response:
            for _ in response.iter_raw():
                if far is not None and response.num_bytes_downloaded >= far:
                    return
    except httpx.TransportError:
        return  # as it went with the suite, which hung up or was hung up on


def _read_until(exchange: Exchange) -> int | None:
    """How many bytes of an answer the suite read before it hung up; None where it read all.

    llama.cpp ends a whole answer that nobody waits for with an empty 200.
    """
    read = sum(chunk.size for chunk in exchange.chunks)
    empty = exchange.status == httpx.codes.OK and not exchange.response_body.raw
    return read if exchange.ended != "complete" else 0 if empty else None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
