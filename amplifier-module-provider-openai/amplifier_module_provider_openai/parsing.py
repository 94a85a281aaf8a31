"""JSON objects in what a server sends."""

from __future__ import annotations

import json
from typing import Any

import jiter

from .broken import BrokenAnswerError, excerpt


class NotJSONError(BrokenAnswerError):
    """What should have been JSON is not, or is only the beginning of it."""


def _parsed(data: bytes) -> Any:
    """JSON; half a character, which some servers cut off and `jiter` refuses, becomes U+FFFD."""
    try:
        return jiter.from_json(data)
    except ValueError:
        text = json.dumps(json.loads(data), ensure_ascii=False)
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return json.loads(whole)


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises BrokenAnswerError for anything else, an error object included."""
    try:
        parsed = _parsed(data)
    except ValueError as error:
        raise NotJSONError(f"the answer is not JSON: {excerpt(data)}") from error
    if not isinstance(parsed, dict):
        raise BrokenAnswerError(f"the answer is no JSON object: {excerpt(data)}")
    reported = parsed if parsed.get("object") == "error" else parsed.get("error")
    if reported:
        raise BrokenAnswerError(f"the server reports an error: {excerpt(data)}", body=reported)
    return parsed
