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
    with client(target.url, target.api_key) as http:
        while problem := _ask(http, target.model, end):
            raise_if_died(target)
            if time.monotonic() > end:
                raise _not_ready(target, f"{problem} (after {timeout:g} s)")
            time.sleep(PAUSE)


def require_answer(target: Target, timeout: float) -> None:
    """Ask once, for a server that should be up; NotReady."""
    if problem := problem_at(target.url, target, timeout):
        raise _not_ready(target, problem)


def problem_at(url: str, target: Target, timeout: float) -> str:
    """What the base URL `url` gives in place of a completion; nothing where one comes."""
    with client(url, target.api_key) as http:
        problem = _ask(http, target.model, time.monotonic() + timeout)
    return _without_key(problem, target.api_key)


def client(url: str, api_key: str | None) -> httpx.Client:
    """A client that speaks to the server at `url`, past every proxy."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return httpx.Client(base_url=url, headers=headers, trust_env=False)


def _ask(http: httpx.Client, model: str, end: float) -> str:
    """Nothing when a completion came, else what came instead."""
    patience = max(end - time.monotonic(), 1.0)
    try:
        answer = http.post("/chat/completions", json={"model": model, **QUESTION}, timeout=patience)
        if answer.is_success and answer.json()["choices"]:
            return ""
    except httpx.LocalProtocolError:
        return "no request can be made of its key or URL: is there a line end in it?"
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}"
    except (ValueError, KeyError, TypeError):
        return "an answer that is no chat completion"
    return f"HTTP {answer.status_code}: {answer.text[:200]}"


def _without_key(text: str, key: str | None) -> str:
    return text.replace(key, "[key]") if key else text


def raise_if_died(target: Target) -> None:
    """ServerDied as soon as the process has ended."""
    if sentence := target.died():
        raise ServerDied(sentence, f"its whole log: {target.log.file}")


def _not_ready(target: Target, problem: str) -> NotReady:
    sentence = f"{target.title} gave no chat completion: {_without_key(problem, target.api_key)}"
    if not (last := target.log.tail()):
        return NotReady(sentence, f"what does {target.url} serve?")
    return NotReady(f"{sentence}; it last wrote:\n{last}", f"its log: {target.log.file}")
