"""OpenAI's own `apply_patch` tool, which has item types of its own on the wire."""

from __future__ import annotations

import json
from typing import Any

from ._constants import APPLY_PATCH_OPERATIONS
from .tool_calls import Call

NAME = "apply_patch"
CALL = "apply_patch_call"
_WITH_DIFF = frozenset({"create_file", "update_file"})
_FAILURES = (
    "error",
    "failed",
    "invalid",
    "cannot ",
    "could not ",
    "context mismatch",
    "file already exists",
    "file not found",
    "no such file",
    "permission denied",
)


def is_operation(call: Call) -> bool:
    """Whether a call in the history was made by the native tool."""
    return call.name == NAME and call.arguments.get("type") in APPLY_PATCH_OPERATIONS


def call_item(call: Call) -> dict[str, Any]:
    """The call as an input item."""
    wanted = {"type", "path", *(("diff",) if call.arguments["type"] in _WITH_DIFF else ())}
    operation = {key: value for key, value in call.arguments.items() if key in wanted}
    return {
        "type": CALL,
        "call_id": call.id,
        "status": "completed",
        "operation": operation,
    }


def output_item(call_id: str, output: str) -> dict[str, Any]:
    """The result as an input item; OpenAI wants to be told whether the patch went in."""
    return {
        "type": "apply_patch_call_output",
        "call_id": call_id,
        "status": "failed" if _is_failure(output) else "completed",
        "output": output,
    }


def _is_failure(output: str) -> bool:
    try:
        result = json.loads(output)
    except ValueError:
        return output.lstrip().lower().startswith(_FAILURES)
    return isinstance(result, dict) and (result.get("success") is False or "error" in result)
