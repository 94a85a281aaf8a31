"""A question beside a check's own, to the server itself, once the check's body has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from conformance.answer import Answer
from conformance.bench import Bench
from conformance.outcome import NotAnswered
from conformance.wire import PATIENCE, certificates


def asked_aside(bench: Bench, prompt: str, **fields: Any) -> Answer:
    """The answer to a plain question. `NotAnswered` where none comes."""
    messages = [{"role": "user", "content": prompt}]
    return posted_aside(bench, "chat/completions", {"messages": messages, **fields})


def posted_aside(bench: Bench, route: str, fields: Mapping[str, Any]) -> Answer:
    """The answer of one route of the server. `NotAnswered` where none comes."""
    body = {"model": bench.target.model, "temperature": 0, **fields}
    key = bench.target.api_key
    headers = {"Connection": "close", "Accept-Encoding": "identity"} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE, verify=certificates()) as client:
            got = client.post(f"{bench.url}/{route}", json=body, headers=headers)
    except httpx.HTTPError as error:
        raise NotAnswered(f"{type(error).__name__}: {error}") from error
    return Answer(got.status_code, dict(got.headers), got.content.decode(errors="replace"))
