"""One TLS context for the process: it takes 20 ms to load the authorities."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from openai import DefaultAsyncHttpxClient


def http_client() -> DefaultAsyncHttpxClient:
    """The HTTP client that the SDK would make, but for its TLS context, which is shared."""
    return DefaultAsyncHttpxClient(verify=_context())


@cache
def _context() -> Any:
    """As the SDK's own HTTP library makes it, which is `httpx` or `httpx2`."""
    client = next(kind for kind in DefaultAsyncHttpxClient.__mro__ if "httpx" in kind.__module__)
    return import_module(client.__module__.partition(".")[0]).create_ssl_context()
