"""Two requests on one connection, the second as soon as the first answer has ended."""

from __future__ import annotations

import asyncio
import json
from asyncio import StreamReader
from collections.abc import Mapping
from typing import Any

import httpx

from conformance.outcome import NotAnswered

#: Seconds in which both requests are answered.
PATIENCE = 60.0


async def keeps_its_word(url: httpx.URL, body: Mapping[str, Any], key: str | None) -> bool:
    """Whether a second request is answered, or the first answer said that none would be.

    Both are POSTs of `body` to `url`, for a streamed answer, with `key` as Authorization header.
    A client library takes so long between two requests that a server's fault shows now and then
    only. `NotAnswered` where already the first request gets no answer.
    """
    request = _request(url, body, key)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(request)
            if not _is_kept(await _answered(reader)):
                return True
            await _skip_chunks(reader)
            writer.write(request)
            return await _is_answered(reader)
    except TimeoutError:
        raise NotAnswered(f"no answer in {PATIENCE} s") from None
    except (OSError, EOFError, ValueError) as error:
        raise NotAnswered(f"the first answer broke off: {error}") from error
    finally:
        writer.close()


async def _answered(reader: StreamReader) -> bytes:
    """The head of an answer with status 200."""
    head = await _head(reader)
    if head.split()[1:2] != [b"200"]:
        raise NotAnswered(head.decode(errors="replace")[:300] or "no answer at all")
    return head


async def _is_answered(reader: StreamReader) -> bool:
    """Whether status 200 comes; a connection that ends is no answer."""
    try:
        return (await _head(reader)).split()[1:2] == [b"200"]
    except (OSError, ValueError):
        return False


async def _head(reader: StreamReader) -> bytes:
    """Status line and headers, up to the empty line or the end."""
    lines = [await reader.readline()]
    while lines[-1].strip():
        lines.append(await reader.readline())
    return b"".join(lines)


async def _skip_chunks(reader: StreamReader) -> None:
    """Read a chunked body of any length to its end. `ValueError` if it is none."""
    size = -1
    while size:
        size = int((await reader.readline()).partition(b";")[0], 16)
        await reader.readexactly(size + len(b"\r\n"))


def _request(url: httpx.URL, body: Mapping[str, Any], key: str | None) -> bytes:
    content = json.dumps(body).encode()
    head = [
        f"POST {url.path} HTTP/1.1",
        f"Host: {url.host}:{url.port}",
        *([f"Authorization: {key}"] if key else []),
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + content


def _is_kept(head: bytes) -> bool:
    """Chunked bodies are what streams on kept connections have."""
    said = head.lower()
    return said.startswith(b"http/1.1 ") and b"connection: close" not in said and b"chunked" in said
