"""Ready means that a chat completion succeeds; `/health` promises less (MLX, Ollama)."""

import time

import httpx

from servers.errors import NotReady, ServerDied
from servers.target import Target

PAUSE = 0.05
QUESTION = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}


def wait_until_ready(target: Target, timeout: float) -> None:
    """Ask for one token until it comes, `timeout` seconds long; ServerDied or NotReady."""
    end = time.monotonic() + timeout
    with client(target) as http:
        while problem := _ask(http, target.model, end):
            raise_if_died(target)
            if time.monotonic() > end:
                raise _not_ready(target, timeout, problem)
            time.sleep(PAUSE)


def client(target: Target) -> httpx.Client:
    """A client that speaks to the target, past every proxy."""
    headers = {"Authorization": f"Bearer {target.api_key}"} if target.api_key else {}
    return httpx.Client(base_url=target.url, headers=headers, trust_env=False)


def _ask(http: httpx.Client, model: str, end: float) -> str:
    """Nothing when a completion came, else what came instead."""
    patience = max(end - time.monotonic(), 1.0)
    try:
        answer = http.post("/chat/completions", json={"model": model, **QUESTION}, timeout=patience)
        if answer.is_success and answer.json()["choices"]:
            return ""
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}"
    except (ValueError, KeyError, TypeError):
        return "an answer that is no chat completion"
    return f"HTTP {answer.status_code}: {answer.text[:200]}"


def raise_if_died(target: Target) -> None:
    """ServerDied as soon as the process has ended."""
    if sentence := target.died():
        raise ServerDied(sentence, f"its whole log: {target.log.file}")


def _not_ready(target: Target, timeout: float, problem: str) -> NotReady:
    return NotReady(
        f"{target.title} gave no chat completion within {timeout:g} s ({problem}); "
        f"it last wrote:\n{target.log.tail()}",
        f"its log: {target.log.file}",
    )
