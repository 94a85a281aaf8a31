"""What servers say that have no answer to give, as their makers' sources and trackers show it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from amplifier_core import llm_errors

from conformance.stand_in import Canned
from reports import Mode

HTML = {"Content-Type": "text/html"}


def refused(status: int, message: str, **more: Any) -> Canned:
    """An error object as OpenAI sends it."""
    return Canned(status, json.dumps({"error": {"message": message, **more}}))


def streamed(*events: dict[str, Any]) -> Canned:
    """Events of a response, and then the end of the connection."""
    numbered = [event | {"sequence_number": number} for number, event in enumerate(events)]
    body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in numbered)
    return Canned(200, body, {"Content-Type": "text/event-stream"})


BUSY = refused(503, "Loading model", type="unavailable_error")
NO_KEY = refused(401, "Invalid API Key")
SLOW_DOWN = refused(429, "slow down")
BROKEN = refused(500, "oops")
NOT_YOU = refused(403, "not you")
#: The request is read, and nothing comes back: not a byte, or a broken connection.
SILENCE = Canned(0, hangs=True)
RESET = Canned(0, reset=True)
#: An answer of the server's, and the kernel's error for it.
ERRORS: Sequence[tuple[Canned, type[llm_errors.LLMError]]] = [
    (refused(400, "bad value"), llm_errors.InvalidRequestError),
    (NO_KEY, llm_errors.AuthenticationError),
    (Canned(401, '{"error": "Unauthorized"}'), llm_errors.AuthenticationError),
    (NOT_YOU, llm_errors.AccessDeniedError),
    (refused(404, "File Not Found"), llm_errors.NotFoundError),
    (Canned(413, "too large"), llm_errors.ContextLengthError),
    (refused(400, "blocked by the content filter"), llm_errors.ContentFilterError),
    (refused(429, "pay", code="insufficient_quota"), llm_errors.QuotaExceededError),
]
#: The same of errors that may pass, so that it is worth trying again.
PASSING: Sequence[tuple[Canned, type[llm_errors.LLMError]]] = [
    (SLOW_DOWN, llm_errors.RateLimitError),
    (BROKEN, llm_errors.ProviderUnavailableError),
    (BUSY, llm_errors.ProviderUnavailableError),
    (Canned(504, "<html>Gateway Time-out</html>", HTML), llm_errors.ProviderUnavailableError),
]
#: llama.cpp, vLLM and OpenAI say that a prompt is too long.
TOO_LONG = [
    refused(
        400, "the request exceeds the available context size", type="exceed_context_size_error"
    ),
    refused(400, "This model's maximum context length is 8192 tokens.", type="BadRequestError"),
    refused(400, "Your input exceeds the context window of this model."),
]
#: With status 200: a page, nothing, and JSON that holds no answer.
NO_ANSWERS = [
    Canned(200, "<html>It works!</html>", HTML),
    Canned(200, ""),
    Canned(200, "{}"),
    Canned(200, '{"choices": []}'),
    refused(200, "oops"),
]

#: llama.cpp, FastAPI, Flask, a proxy and TGI say that there is no such route.
NO_ROUTE = [
    refused(404, "File Not Found", code=404, type="not_found_error"),
    Canned(404, '{"detail": "Not Found"}'),
    Canned(405, "Method Not Allowed", HTML),
    Canned(404, "<html>404 Not Found</html>", HTML),
    Canned(410, "Gone", HTML),
    Canned(501, ""),
]
#: mlx_lm.server says so too, and breaks the connection.
NO_ROUTE_AND_RESET = Canned(404, "Not Found", {"Content-Length": "9"}, reset=True)
#: Servers that have a route for Responses and don't understand what comes.
CONFUSED = [
    refused(400, "Cannot determine type of 'item'"),
    Canned(422, '{"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}'),
    refused(400, "Unrecognized request argument supplied: instructions"),
    refused(400, "Additional properties are not allowed ('input' was unexpected)"),
    refused(400, "'type' of tool must be 'function'"),
    Canned(200, "<html>It works!</html>", HTML),
    Canned(200, ""),
    Canned(200, '{"status": "ok"}'),
]
NO_MODEL = refused(404, "The model `tiny` does not exist", param="model", code="model_not_found")

_PART = {"type": "output_text", "text": "", "annotations": []}
_MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress"}
_PLACE = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "in_progress",
    "model": "tiny",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
_SAID = {**_MESSAGE, "status": "completed", "content": [{**_PART, "text": "Ana"}]}
_COMPLETED = {**_RESPONSE, "status": "completed", "output": [_SAID]}
_BEGINNING: list[dict[str, Any]] = [
    {"type": "response.created", "response": _RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": _MESSAGE | {"content": []}},
    {"type": "response.content_part.added", **_PLACE, "part": _PART},
]
#: A whole response that says "Ana".
ANA = Canned(200, json.dumps(_COMPLETED))
RESPONSE = {
    Mode.WHOLE: ANA,
    Mode.STREAM: streamed(
        *_BEGINNING,
        {"type": "response.output_text.delta", **_PLACE, "delta": "Ana", "logprobs": []},
        {"type": "response.output_item.done", "output_index": 0, "item": _SAID},
        {"type": "response.completed", "response": _COMPLETED},
    ),
}
#: A response that ends before its first word, and one that ends after it.
NO_STREAM = streamed(_BEGINNING[0])
HALF_A_STREAM = streamed(
    *_BEGINNING,
    {"type": "response.output_text.delta", **_PLACE, "delta": "tiger", "logprobs": []},
)

_CALL = {"id": "call_1", "type": "function"}


def chunks(*deltas: dict[str, Any], finish: str | None = None, hangs: bool = False) -> Canned:
    """The beginning of a streamed chat completion, or all of it with the reason that it ended."""
    ends: list[str | None] = [*([None] * (len(deltas) - 1)), finish]
    told = [
        _of_chat("chat.completion.chunk", {"delta": delta, "finish_reason": end})
        for delta, end in zip(deltas, ends, strict=True)
    ]
    body = "".join(f"data: {json.dumps(one)}\n\n" for one in told)
    body += "data: [DONE]\n\n" if finish else ""
    return Canned(200, body, {"Content-Type": "text/event-stream"}, hangs=hangs)


def _of_chat(kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    told = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "tiny"}
    return told | {"choices": [{"index": 0} | choice]}


def called(mode: Mode, arguments: str, finish: str) -> Canned:
    """A call of get_weather, whole or in two pieces, that ends like this."""
    half = len(arguments) // 2
    if mode is Mode.STREAM:
        first = {"name": "get_weather", "arguments": arguments[:half]}
        return chunks(
            {"role": "assistant", "tool_calls": [{"index": 0, **_CALL, "function": first}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": arguments[half:]}}]},
            finish=finish,
        )
    call = {**_CALL, "function": {"name": "get_weather", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"message": message, "finish_reason": finish}
    return Canned(200, json.dumps(_of_chat("chat.completion", choice)))


#: A stream that begins and falls silent, and one that ends in an error.
STUCK = chunks({"role": "assistant", "content": "tiger"}, hangs=True)
FAILED_LATER = replace(
    STUCK, body=STUCK.body + 'data: {"error": {"message": "out of memory"}}\n\n', hangs=False
)
