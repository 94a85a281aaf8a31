"""The wire asker: Chat Completions over plain httpx, as the server itself speaks it."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any

import httpx

from conformance.answer import Answer, json_object, no_answer, read_completion
from conformance.ask import Asker, as_messages
from conformance.chunks import Assembly
from conformance.completion import Chunk, Completion, Model, ModelList
from conformance.conversation import Message, Question
from conformance.outcome import Malformed, NotAnswered, ensure_form
from conformance.reply import Refusal, Reply
from conformance.request import request_body, sent
from conformance.sse import events
from reports import Layer, Mode

#: Seconds without a byte after which a server counts as silent. The model answers in milliseconds.
PATIENCE = 60.0


class WireAsker(Asker):
    """Asks the server itself. One connection pool for the whole check."""

    layer = Layer.WIRE

    def __init__(self, client: httpx.AsyncClient, model: str, mode: Mode) -> None:
        super().__init__(model, mode)
        self.client = client
        self._keeps = False

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Use a client that keeps its connections, and says so in streams too."""
        before = self.client
        async with open_client(str(before.base_url), None, kept=1) as client:
            client.headers = before.headers
            self.client, self._keeps = client, True
            try:
                yield
            finally:
                self.client, self._keeps = before, False

    async def answer(self, question: Question, mode: Mode) -> Reply:
        """POST one chat completion and read it, chunk by chunk when streaming."""
        body = request_body(question, self.model, mode)
        async with self._post("chat/completions", body) as response:
            await _accept(response)
            if mode is Mode.STREAM:
                return await _read_stream(response)
            return read_completion(Completion.read(_decoded(await response.aread())))

    async def send(self, *turns: str | Message | Reply, **fields: Any) -> Answer:
        """POST one chat completion and return what came, whatever it is."""
        body = self.body(*turns, **fields)
        answer = await self.post("chat/completions", body)
        question = sent(as_messages(turns), fields)
        mode = Mode.STREAM if body.get("stream") else Mode.WHOLE
        return replace(answer, noted=partial(self._note, question, mode))

    def _note(self, question: Question, mode: Mode, reply: Reply) -> None:
        """Keep the answer for the invariants; at random a model may say anything."""
        if question.fields.get("temperature", 0) in {0, None}:
            self.note(question, reply, mode)

    def body(self, *turns: str | Message | Reply, **fields: Any) -> dict[str, Any]:
        """The request that `send` makes."""
        return request_body(Question(as_messages(turns), fields=fields), self.model, self.mode)

    async def post(self, path: str, body: dict[str, Any]) -> Answer:
        """POST any JSON to a path below the base URL and return what came, whatever it is."""
        return await self._answer("POST", path, json=body)

    async def arriving(self, body: dict[str, Any]) -> AsyncIterator[tuple[float, dict[str, Any]]]:
        """When each chunk of a streamed answer came, and the chunk; `NotAnswered` as ever."""
        async with self._post("chat/completions", body) as response:
            await _accept(response)
            async for data in events(response.aiter_bytes()):
                yield time.time(), json_object(data, "an event")

    async def send_bytes(self, body: bytes, kind: str = "application/json") -> Answer:
        """POST these bytes as if they were a chat completion request."""
        headers = {"Content-Type": kind}
        return await self._answer("POST", "chat/completions", content=body, headers=headers)

    async def get(self, path: str) -> Answer:
        """GET a path below the base URL and return what came, whatever it is."""
        return await self._answer("GET", path)

    async def models(self) -> list[str]:
        """GET the model list."""
        return [model.id for model in await self.listed()]

    async def listed(self) -> list[Model]:
        """The same with all that is told of each."""
        listed = await self.get("models")
        if listed.status != httpx.codes.OK:
            raise NotAnswered(f"HTTP {listed.status}: {listed.text[:300]}")
        return ModelList.read(listed.text).data

    async def refusal(self, *turns: str | Message | Reply, **fields: Any) -> Refusal:
        """POST the question and read the error."""
        return (await self.send(*turns, **fields)).refusal

    async def astray(self, *turns: str | Message | Reply) -> Refusal:
        """POST the question below a path that no server serves."""
        return (await self.post("no-such-route/chat/completions", self.body(*turns))).refusal

    async def _answer(self, method: str, path: str, **sent: Any) -> Answer:
        try:
            response = await self.client.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise _not_answered(error) from error
        text = response.content.decode(errors="replace")
        return Answer(response.status_code, dict(response.headers), text)

    @asynccontextmanager
    async def _post(self, path: str, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        headers = {} if self._keeps else _headers(body)
        try:
            async with self.client.stream("POST", path, json=body, headers=headers) as got:
                yield got
        except httpx.HTTPError as error:
            raise _not_answered(error) from error


def open_client(url: str, api_key: str | None, kept: int = 0) -> httpx.AsyncClient:
    """A client for the server at `url`, deaf to proxies and to the environment.

    It keeps no more than `kept` connections for later requests.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    headers["Accept-Encoding"] = "identity"  # what the tap saw is judged too
    # One connection per request: what a server does with a kept one is a check of its own.
    limits = httpx.Limits(max_keepalive_connections=kept)
    return httpx.AsyncClient(
        base_url=url,
        headers=headers,
        limits=limits,
        timeout=PATIENCE,
        trust_env=False,
        verify=certificates(),
    )


@cache
def certificates() -> ssl.SSLContext:
    """The authorities that are trusted; reading them takes longer than most checks."""
    return httpx.create_ssl_context(trust_env=False)


async def _read_stream(response: httpx.Response) -> Reply:
    kind = response.headers.get("content-type", "")
    ensure_form(kind.startswith("text/event-stream"), f"a stream came as {kind!r}")
    assembly = Assembly()
    async for data in events(response.aiter_bytes()):
        assembly.add(Chunk.read(data))
    return assembly.reply()


async def _accept(response: httpx.Response) -> None:
    """`NotAnswered` for any status but 200, with what the server said."""
    if response.status_code != httpx.codes.OK:
        said = (await response.aread()).decode(errors="replace")
        raise no_answer(response.status_code, said)


def _headers(body: Mapping[str, Any]) -> dict[str, str]:
    # llama.cpp (b11549) closes the connection after a stream, though it promises to keep it, and
    # the next request goes lost if it comes before the client has noticed.
    return {"Connection": "close"} if body.get("stream") else {}


def _not_answered(error: httpx.HTTPError) -> NotAnswered:
    return NotAnswered(f"{type(error).__name__} on the wire: {error}")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: {body[:300]!r}") from error
