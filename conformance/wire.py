"""The wire asker: Chat Completions over plain httpx, as the server itself speaks it."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import httpx

from conformance.ask import Asker, as_messages
from conformance.chunks import Assembly
from conformance.completion import (
    Chunk,
    Completion,
    Delta,
    ErrorBody,
    FunctionCall,
    Model,
    ModelList,
)
from conformance.conversation import (
    DEFAULT_MAX_TOKENS,
    OMITTED,
    Image,
    Message,
    Question,
    ToolCall,
    forced,
    parsed,
)
from conformance.outcome import (
    Malformed,
    NotAnswered,
    Refused,
    Unsupported,
    about_form,
    ensure_form,
    is_refusal,
)
from conformance.reply import Refusal, Reply, Usage
from conformance.sse import all_events, events, whole_stream
from reports import Layer, Mode

#: Seconds without a byte after which a server counts as silent. The model answers in milliseconds.
PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """An HTTP response as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str
    #: Is told each reply that is read from it.
    noted: Callable[[Reply], None] = lambda _: None

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed. `Malformed` if it is no JSON object."""
        return _object(self.text, "the body")

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The events of a stream, parsed, without the `[DONE]` that ends it.

        `Malformed` says what is wrong with the stream.
        """
        return [_chunk(data) for data in whole_stream(self.text.encode())]

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The choices of all chunks of a stream, in order, parsed."""
        return [choice for chunk in self.chunks for choice in chunk.get("choices") or ()]

    @property
    def events(self) -> list[str]:
        """The data of each event of a stream that need not end in `[DONE]`."""
        return all_events(self.text.encode())

    @property
    def deltas(self) -> list[Delta]:
        """What the chunks of a stream add to its first choice."""
        chunks = [Chunk.read(data) for data in whole_stream(self.text.encode())]
        return [c.delta for chunk in chunks for c in chunk.choices if c.index == 0]

    @property
    def reply(self) -> Reply:
        """What was answered, streamed or whole, as `ensure_answered` has it."""
        self.ensure_answered()
        reply = self._read()
        self.noted(reply)
        return reply

    def _read(self) -> Reply:
        if not self.headers.get("content-type", "").startswith("text/event-stream"):
            return read_completion(Completion.read(self.text))
        assembly = Assembly()
        for data in whole_stream(self.text.encode()):
            assembly.add(Chunk.read(data))
        return assembly.reply()

    @property
    def refusal(self) -> Refusal:
        """The error by which a request was refused, told in words, as the client's own fault.

        An answer in its place is an `AssertionError`: another model may do what this one can't.
        """
        said = f"HTTP {self.status}: {self.text[:300]}"
        assert self.status != httpx.codes.OK, said
        if self.status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}:
            raise NotAnswered(said)
        ensure_form(400 <= self.status < 500, said)
        return Refusal(self.status, ErrorBody.read(self.text).message)

    @property
    def if_supported(self) -> Reply:
        """The reply; `Unsupported` where the request was refused, as `refusal` has it."""
        self.ensure_supported()
        return self.reply

    def ensure_supported(self) -> None:
        """`Unsupported` where the request itself was refused; `NotAnswered` where it failed."""
        if is_refusal(self.status):
            raise Unsupported(f"HTTP {self.status}: {self.refusal.message}")
        self.ensure_answered()

    def ensure_answered(self) -> None:
        """`NotAnswered` for any status but 200, and `Refused` for a 4xx that tells why."""
        if self.status != httpx.codes.OK:
            raise _no_answer(self.status, self.text)

    def ensure_sound(self) -> None:
        """Either a whole answer or a clean refusal: where the API leaves the choice to servers."""
        if self.status == httpx.codes.OK:
            assert self.reply.finish_reason
        else:
            assert self.refusal.message


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
                yield time.time(), _object(data, "an event")

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


def request_body(question: Question, model: str, mode: Mode) -> dict[str, Any]:
    """The JSON of a chat completion request: temperature 0, and no key that is not needed."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in question.messages],
        "temperature": 0,
        "max_tokens": question.max_tokens or DEFAULT_MAX_TOKENS,
    }
    if question.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in question.tools]
    if question.tool_choice:
        body["tool_choice"] = forced(question.tool_choice)
    if question.stop:
        body["stop"] = list(question.stop)
    if question.schema is not None:
        body["response_format"] = _response_format(question.schema)
    if mode is Mode.STREAM:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body |= question.fields
    return {key: value for key, value in body.items() if value is not OMITTED}


def sent(messages: tuple[Message, ...], fields: Mapping[str, Any]) -> Question:
    """What a request with these keys asks; keys that make no sense are left as they are."""
    tools, choice = fields.get("tools") or (), fields.get("tool_choice")
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else choice
    offered = tuple(tool["function"] for tool in tools if "function" in tool)
    return Question(messages, offered, tool_choice=named, fields=fields)


def read_completion(completion: Completion) -> Reply:
    """The first choice of a whole completion as a `Reply`."""
    choice, usage = completion.choices[0], completion.usage
    return Reply(
        text=choice.message.content or "",
        tool_calls=[_call(call) for call in choice.message.tool_calls or ()],
        finish_reason=choice.finish_reason,
        usage=Usage(**dict(usage)) if usage else None,
        reasoning=choice.message.thought,
    )


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
        raise _no_answer(response.status_code, said)


def _no_answer(status: int, said: str) -> NotAnswered:
    message = f"HTTP {status}: {said[:300]}"
    if not is_refusal(status):
        return NotAnswered(message)
    try:
        ErrorBody.read(said)
    except AssertionError:
        return NotAnswered(message)
    return Refused(message)


def _headers(body: Mapping[str, Any]) -> dict[str, str]:
    # llama.cpp (b11549) closes the connection after a stream, though it promises to keep it, and
    # the next request goes lost if it comes before the client has noticed.
    return {"Connection": "close"} if body.get("stream") else {}


def _not_answered(error: httpx.HTTPError) -> NotAnswered:
    return NotAnswered(f"{type(error).__name__} on the wire: {error}")


def _message(message: Message) -> dict[str, Any]:
    content = [_part(part) for part in message.parts] if message.parts else message.text
    written: dict[str, Any] = {"role": message.role, "content": content}
    if message.calls:
        written["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.text}}
            for c in message.calls
        ]
    if message.call:
        written["tool_call_id"] = message.call.id
    return written


def _part(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = f"data:{part.media_type};base64,{part.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    if not schema:
        return {"type": "json_object"}
    described = {"name": "answer", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": described}


def _object(text: str, what: str) -> dict[str, Any]:
    with about_form():
        found = parsed(text, what)
        assert isinstance(found, dict), f"{what}: no JSON object: {text[:300]!r}"
    return found


def _chunk(data: str) -> dict[str, Any]:
    Chunk.read(data)
    return _object(data, "an event")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: {body[:300]!r}") from error


def _call(call: FunctionCall) -> ToolCall:
    return ToolCall(call.id, call.function.name, call.function.arguments)
