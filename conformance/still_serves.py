"""A server goes on serving, whatever it was just asked: shown after each request that it refused."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from conformance.bench import Bench
from conformance.completion import Completion
from conformance.wire import PATIENCE, certificates
from reports import Exchange

CHECK = "invariants.still-serves"
_MESSAGES = [{"role": "user", "content": "Repeat: tiger"}]


def was_refused(exchanges: Iterable[Exchange]) -> bool:
    """Whether one of the requests ended in an error status."""
    return any(exchange.status is not None and exchange.status >= 400 for exchange in exchanges)  # noqa: PLR2004


def fault_after(bench: Bench) -> AssertionError | None:
    """Ask for one token; what is wrong with the answer, or None."""
    body = {"model": bench.target.model, "messages": _MESSAGES, "temperature": 0, "max_tokens": 1}
    key = bench.target.api_key
    headers = {"Connection": "close"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE, verify=certificates()) as client:
            answer = client.post(f"{bench.url}/chat/completions", json=body, headers=headers)
    except httpx.HTTPError as error:
        return AssertionError(f"after an error status: {type(error).__name__}: {error}")
    try:
        assert answer.status_code == httpx.codes.OK, f"HTTP {answer.status_code}"
        Completion.read(answer.text)
    except AssertionError as error:
        return AssertionError(f"after an error status: {error}")
    return None
