"""What servers say that have no answer to give, as their makers' sources and trackers show it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from amplifier_core import llm_errors

from conformance.stand_in import Canned

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
#: An answer of the server's, and the kernel's error for it.
ERRORS: Sequence[tuple[Canned, type[llm_errors.LLMError]]] = [
    (refused(400, "bad value"), llm_errors.InvalidRequestError),
    (NO_KEY, llm_errors.AuthenticationError),
    (Canned(401, '{"error": "Unauthorized"}'), llm_errors.AuthenticationError),
    (refused(403, "not you"), llm_errors.AccessDeniedError),
    (refused(404, "File Not Found"), llm_errors.NotFoundError),
    (Canned(413, "too large"), llm_errors.ContextLengthError),
    (SLOW_DOWN, llm_errors.RateLimitError),
    (BROKEN, llm_errors.ProviderUnavailableError),
    (BUSY, llm_errors.ProviderUnavailableError),
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
    Canned(501, ""),
]
#: mlx_lm.server says so too, and breaks the connection.
NO_ROUTE_AND_RESET = Canned(404, "Not Found", {"Content-Length": "9"}, reset=True)
#: Servers that have a route for Responses and don't understand what comes.
CONFUSED = [
    refused(400, "Cannot determine type of 'item'"),
    Canned(422, '{"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}'),
    Canned(200, "<html>It works!</html>", HTML),
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
#: A whole response that says "Ana".
ANA = Canned(
    200,
    json.dumps(
        {
            **_RESPONSE,
            "status": "completed",
            "output": [
                {
                    **_MESSAGE,
                    "status": "completed",
                    "content": [{**_PART, "text": "Ana"}],
                }
            ],
        }
    ),
)
#: A response that ends after its first word.
HALF_A_STREAM = streamed(
    {"type": "response.created", "response": _RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": _MESSAGE | {"content": []}},
    {"type": "response.content_part.added", **_PLACE, "part": _PART},
    {"type": "response.output_text.delta", **_PLACE, "delta": "tiger", "logprobs": []},
)
