"""Two requests on one connection, the second as soon as the first answer has ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

_END_OF_HEAD, _LAST_CHUNK = b"\r\n\r\n", b"\r\n0\r\n\r\n"


async def keeps_its_word(url: httpx.URL, body: Mapping[str, Any]) -> bool:
    """Whether a second request is answered, or the first answer said that none would be.

    Both are POSTs of `body` to `url`, for a streamed answer. A client library takes so long
    between two requests that a server's fault shows now and then only.
    """
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(_request(url, body))
        head = await reader.readuntil(_END_OF_HEAD)
        if not _is_kept(head):
            return True
        await reader.readuntil(_LAST_CHUNK)
        writer.write(_request(url, body))
        return (await reader.readline()).startswith(b"HTTP/1.1 ")
    except (ConnectionError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()


def _request(url: httpx.URL, body: Mapping[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = [
        f"POST {url.path} HTTP/1.1",
        f"Host: {url.host}:{url.port}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + content


def _is_kept(head: bytes) -> bool:
    """Chunked bodies are what streams on kept connections have."""
    said = head.lower()
    return said.startswith(b"http/1.1 ") and b"connection: close" not in said and b"chunked" in said
