"""Histories in which a tool call has no result, mended before they are sent.

Every server refuses such a history. Repairs are made on each request, since the
session's own store does not keep them; they are reported once per call id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from amplifier_core.message_models import ChatRequest, Message

from .history import calls_of, result_ids
from .tool_calls import Call

INTERRUPTED = (
    "My previous tool calls were interrupted before their results arrived. "
    "The history was repaired; I go on from here."
)
_REMEMBERED_IDS = 10_000


def missing_result(name: str, call_id: str) -> str:
    """What stands in for the result of a call that never got one."""
    return (
        "[SYSTEM ERROR: Tool result missing from conversation history]\n\n"
        f"Tool: {name}\nCall ID: {call_id}\n\n"
        "The call may or may not have been carried out. Check before you repeat it."
    )


@dataclass
class Repairs:
    """What was put into one request's history; `fresh` are calls not reported before."""

    fresh: list[Call] = field(default_factory=list)
    synthetic_assistants: int = 0

    def payload(self, provider: str) -> dict[str, Any]:
        """The `provider:tool_sequence_repaired` event."""
        payload: dict[str, Any] = {
            "provider": provider,
            "repair_count": len(self.fresh),
            "repairs": [{"tool_call_id": call.id, "tool_name": call.name} for call in self.fresh],
        }
        if self.synthetic_assistants:
            payload["synthetic_assistant_count"] = self.synthetic_assistants
        return payload


def repair_history(request: ChatRequest, known: set[str]) -> Repairs:
    """Insert a result for every unanswered call into `request.messages`, in place."""
    answered = {call_id for message in request.messages for call_id in result_ids(message)}
    repairs = Repairs()
    for position in range(len(request.messages) - 1, -1, -1):
        message = request.messages[position]
        if message.role == "assistant":
            missing = [call for call in calls_of(message) if call.id and call.id not in answered]
            if missing:
                _insert_results(request.messages, position + 1, missing, repairs)
                repairs.fresh[:0] = [call for call in missing if call.id not in known]
    _remember(known, repairs.fresh)
    return repairs


def _insert_results(
    messages: list[Message], position: int, missing: list[Call], repairs: Repairs
) -> None:
    mended = [_synthetic_result(call) for call in missing]
    if position < len(messages) and _is_from_a_person(messages[position]):
        mended.append(Message(role="assistant", content=INTERRUPTED))
        repairs.synthetic_assistants += 1
    messages[position:position] = mended


def _synthetic_result(call: Call) -> Message:
    content = missing_result(call.name, call.id)
    return Message(role="tool", content=content, tool_call_id=call.id, name=call.name)


def _is_from_a_person(message: Message) -> bool:
    if message.role != "user" or message.tool_call_id:
        return False
    return not (
        isinstance(message.content, str) and message.content.startswith("<system-reminder>")
    )


def _remember(known: set[str], calls: list[Call]) -> None:
    if len(known) > _REMEMBERED_IDS:
        known.clear()
    known.update(call.id for call in calls)
