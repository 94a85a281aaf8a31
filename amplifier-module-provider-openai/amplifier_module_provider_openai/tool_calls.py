"""A tool call, and its arguments between JSON text and mapping; the same in both protocols."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from amplifier_core.llm_errors import InvalidToolCallError
from amplifier_core.message_models import ChatResponse

from ._constants import METADATA_CUT_TOOL_CALLS

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """One call of one tool; `malformed` holds the arguments as sent when they are no object.

    `cut` holds as much as there is of them when the output limit has cut the call off.
    """

    id: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    malformed: str | None = None
    cut: str | None = None


def read_arguments(raw: object) -> tuple[dict[str, Any], str | None]:
    """Arguments as a mapping, and the raw text when it was not a JSON object ({} then)."""
    if isinstance(raw, dict):
        return raw, None
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return {}, None
    try:
        arguments = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        arguments = None
    return (arguments, None) if isinstance(arguments, dict) else ({}, str(raw))


def warn_if_malformed(call: Call) -> None:
    """Tell the log of arguments that are passed on as {}."""
    if call.malformed is not None:
        logger.warning("Arguments of tool %r are no JSON object; {} is passed on", call.name)


def malformed_calls(calls: Iterable[Call]) -> list[dict[str, Any]] | None:
    """What the metadata keeps of calls whose arguments were no JSON object; None without any."""
    return [
        {"id": call.id, "name": call.name, "raw": call.malformed}
        for call in calls
        if call.malformed is not None and call.cut is None
    ] or None


def cut_calls(calls: Iterable[Call]) -> list[dict[str, Any]] | None:
    """What the metadata keeps of calls that the output limit has cut off; None without any."""
    return [
        {"id": call.id, "name": call.name, "raw": call.cut}
        for call in calls
        if call.cut is not None
    ] or None


def arguments_text(arguments: dict[str, Any]) -> str:
    """A JSON object as text, whatever a tool has put into it."""
    return json.dumps(arguments, ensure_ascii=False, default=str)


def new_call_id() -> str:
    """An id for a call whose server gave none."""
    return f"call_{uuid4().hex}"


def with_unique_ids(calls: list[Call]) -> list[Call]:
    """Give a fresh id to each call that has none or shares one; results are matched by id."""
    seen: set[str] = set()
    for call in calls:
        if not call.id or call.id in seen:
            call.id = new_call_id()
        seen.add(call.id)
    return calls


def refuse_cut_calls(answer: ChatResponse) -> None:
    """Raises InvalidToolCallError if no call is left that was not cut off.

    To carry out what there is of a call would be guessing. An answer comes here when its
    price has been put down: it is paid for all the same.
    """
    cut = (answer.metadata or {}).get(METADATA_CUT_TOOL_CALLS)
    if not cut:
        return
    name = cut[0]["name"]
    what = f"The call of tool {name!r} was cut off by the output limit, so it was not carried out."
    if not answer.tool_calls:
        what = f"{what} Raise max_tokens, or ask for less at once."
        raise InvalidToolCallError(what, tool_name=name, raw_arguments=cut[0]["raw"])
    logger.warning("%s The other calls of the answer are passed on.", what)
