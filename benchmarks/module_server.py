"""A process that answers every chat completion with the same recorded answer."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from functools import cache

_CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CHUNKS = re.compile(rb'"max_(?:completion_)?tokens": ?(\d+)')
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n%s\r\n\r\n"
_WORDS = [" the", " model", " an", "swer", "s", " in", " pieces", "."]


def _event(
    delta: dict[str, str], finish: str | None = None, extra: dict[str, object] | None = None
) -> bytes:
    chunk = {
        "choices": [{"finish_reason": finish, "index": 0, "delta": delta}],
        "created": 1794268800,
        "id": "chatcmpl-Y4vXzq0Zt1Zc1Jr8m5xq7k2w3e4r5t6y",
        "model": "tiny",
        "system_fingerprint": "b11549-0a1b2c3d",
        "object": "chat.completion.chunk",
        **(extra or {}),
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def recorded_stream(chunks: int, *, framed: bool) -> bytes:
    """A streamed answer of so many chunks of the shape that llama.cpp b11549 sends.

    Framed: each in an HTTP chunk of its own, as llama.cpp and vLLM do. Else the end of the
    connection ends the answer, as in mlx_lm.server 0.32.2.
    """
    usage = {"completion_tokens": chunks, "prompt_tokens": 9, "total_tokens": chunks + 9}
    words = [_event({"content": word}) for word in _WORDS]
    events = [words[number % len(words)] for number in range(chunks)]
    events += [_event({}, "stop"), _event({}, extra={"choices": [], "usage": usage})]
    events.append(b"data: [DONE]\n\n")
    if not framed:
        return _HEAD % (b"text/event-stream", b"connection: close") + b"".join(events)
    body = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)
    return _HEAD % (b"text/event-stream", b"transfer-encoding: chunked") + body + b"0\r\n\r\n"


def recorded_answer() -> bytes:
    """The same as a whole."""
    message = {"role": "assistant", "content": "".join(_WORDS)}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1794268800,
        "model": "tiny",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"completion_tokens": 8, "prompt_tokens": 9, "total_tokens": 17},
    }
    body = json.dumps(completion).encode()
    return _HEAD % (b"application/json", b"content-length: %d" % len(body)) + body


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _CONTENT_LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            wanted = _CHUNKS.search(body)
            streamed, framed = b'"stream":true' in body.replace(b" ", b""), b"/framed/" in head
            writer.write(_stream(int(wanted[1]) if wanted else 8, framed) if streamed else _ANSWER)
            await writer.drain()
            if streamed and not framed:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


_ANSWER = recorded_answer()


@cache
def _stream(chunks: int, framed: bool) -> bytes:  # noqa: FBT001
    return recorded_stream(chunks, framed=framed)


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
