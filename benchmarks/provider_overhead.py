"""What a Chat Completions client costs: this module, its limit and its peers, side by side.

    python benchmarks/provider_overhead.py [CLIENT …]

Serves one recorded stream from a process of its own to each client in turn, each in an
environment of its own (made by uv in .scratch/overhead, newest versions), and prints
medians and ratios to plain AsyncOpenAI, then this module's ratios to a loop over
AsyncOpenAI that emits the same events to the same audience. The peers emit no events:
their like is the module without a coordinator. Six minutes; a quiet machine is needed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".scratch" / "overhead"
OUR_NAME = "amplifier-module-provider-openai"
OURS = ["amplifier-core", str(HERE.parent / OUR_NAME)]
REQUIREMENTS = {
    "bare": ["openai"],
    "sdk": ["openai"],
    "sdk-events": OURS,
    "sdk-events-screen": OURS,
    "sdk-events-log": OURS,
    "module": OURS,
    "module-events": OURS,
    "module-events-screen": OURS,
    "module-events-log": OURS,
    "any-llm": ["any-llm-sdk[openai]"],
    "langchain-openai": ["langchain-openai"],
    "pydantic-ai": ["pydantic-ai-slim[openai]"],
    "litellm": ["litellm"],
}
DISTRIBUTIONS = {"any-llm": "any-llm-sdk", "pydantic-ai": "pydantic-ai-slim"}
COLUMNS = {
    "chunk_us": "chunk µs",
    "chunk_at_100_us": "at 100 µs",
    "framed_chunk_us": "framed µs",
    "request_us": "request µs",
    "first_token_ms": "first ms",
    "memory_mib": "memory MiB",
}
LIKES = {
    "module": "sdk",
    "module-events": "sdk-events",
    "module-events-screen": "sdk-events-screen",
    "module-events-log": "sdk-events-log",
}
RATIOS = ("chunk_us", "chunk_at_100_us", "framed_chunk_us", "request_us", "first_token_ms")


def environment(client: str) -> Path:
    """The Python of a client's environment, made anew each time so that it is the newest."""
    requirements = REQUIREMENTS[client]
    folder = ENVIRONMENTS / "-".join(Path(name).name for name in requirements)
    python = folder / "bin" / "python"
    if not python.exists():
        _run(_uv(), "venv", "--quiet", "--python", sys.executable, str(folder))
    install = ("pip", "install", "--quiet", "--upgrade", "--reinstall-package", OUR_NAME)
    _run(_uv(), *install, "--python", str(python), *requirements)
    return python


@contextmanager
def server(python: Path) -> Iterator[str]:
    """The recorded server's URL, while it runs."""
    command = [str(python), str(HERE / "module_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def measure(client: str) -> dict[str, float]:
    """Figures of one client, from a process that does nothing else."""
    python = environment(client)
    with server(python) as url:
        output = _run(str(python), str(HERE / "module_clients.py"), client, url)
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    return figures


def version(client: str) -> str:
    """Name and version of what a client is built on."""
    name = DISTRIBUTIONS.get(client, REQUIREMENTS[client][0])
    name = OUR_NAME if client.startswith("module") else name
    script = f"from importlib.metadata import version; print(version({name!r}))"
    return f"{name} {_run(str(environment(client)), '-c', script).strip()}"


def table(results: dict[str, dict[str, float]]) -> list[str]:
    """Figures, each followed by its ratio to plain AsyncOpenAI where that says something."""
    lines = ["| client | " + " | ".join(COLUMNS.values()) + " |", "|---" * 7 + "|"]
    plain = results.get("sdk", {})
    for client, figures in results.items():
        cells = [_cell(figures, plain, column) for column in COLUMNS]
        lines.append(f"| {client} | " + " | ".join(cells) + " |")
    return lines


def like_for_like(results: dict[str, dict[str, float]]) -> list[str]:
    """The module's ratios to the loop that does the same; nothing unless both were measured."""
    pairs = [(ours, like) for ours, like in LIKES.items() if {ours, like} <= results.keys()]
    names = [COLUMNS[column].rpartition(" ")[0] or COLUMNS[column] for column in RATIOS]
    lines = ["| client | to | " + " | ".join(names) + " |", "|---" * (len(RATIOS) + 2) + "|"]
    for ours, like in pairs:
        ratios = [f"{results[ours][column] / results[like][column]:.2f}" for column in RATIOS]
        lines.append(f"| {ours} | {like} | " + " | ".join(ratios) + " |")
    return lines if pairs else []


def _cell(figures: dict[str, float], plain: dict[str, float], column: str) -> str:
    value = figures[column]
    if column not in RATIOS or not plain:
        return f"{value:.1f}"
    return f"{value:.1f} ({value / plain[column]:.2f})"


def _uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if found is None:
        raise SystemExit("uv is needed to make the clients' environments: pip install uv")
    return found


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def main(clients: list[str]) -> None:
    """Measure, telling each result as it comes, and print the table."""
    results = {}
    for client in clients:
        results[client] = measure(client)
        print(client, version(client), results[client], file=sys.stderr)  # noqa: T201
    print("\n".join([*table(results), "", *like_for_like(results)]))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:] or list(REQUIREMENTS))
