"""Going on where a response was cut off by its token limit; OpenAI's own hosts only."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ._constants import MAX_CONTINUATION_ATTEMPTS
from ._response_handling import Continued
from .errors import message_of
from .history import read_field
from .responses import Exchange, checked, texts_of

logger = logging.getLogger(__name__)


async def continue_response(exchange: Exchange, response: Any, *, limit: float | None) -> Any:
    """The response, or one that holds the output of all follow-ups; a failed one ends them.

    Each may take `limit` seconds: what has been answered before is paid for, and stays.
    """
    parts = [response]
    while _is_to_go_on(parts) and len(parts) <= MAX_CONTINUATION_ATTEMPTS:
        await _tell(exchange, parts[-1], len(parts))
        try:
            async with asyncio.timeout(limit):
                parts.append(await _follow_up(exchange, parts))
        except Exception as error:  # noqa: BLE001
            said = exchange.without_secrets(message_of(error))
            logger.warning("Continuation %d failed, what there is stands: %s", len(parts), said)
            break
    return parts[0] if len(parts) == 1 else _joined(parts)


def _is_to_go_on(parts: list[Any]) -> bool:
    """Whether the next request says more than this one did, and makes no call a second time.

    A response that gives no reason for its being empty is given one more chance, as
    provider-openai 1.0 did.
    """
    last = parts[-1]
    if not _is_cut_off(last) or any(_is_call(item) for item in read_field(last, "output") or []):
        return False
    return bool(_texts(last)) or (len(parts) == 1 and _reason(last) is None)


def _is_cut_off(response: Any) -> bool:
    return read_field(response, "status") == "incomplete" and _reason(response) != "content_filter"


def _is_call(item: Any) -> bool:
    return read_field(item, "type") in {"function_call", "tool_call", "apply_patch_call"}


def _reason(response: Any) -> str | None:
    reason = read_field(read_field(response, "incomplete_details"), "reason")
    return reason if isinstance(reason, str) else None


async def _follow_up(exchange: Exchange, parts: list[Any]) -> Any:
    said = [text for part in parts for text in _texts(part)]
    content = [{"type": "output_text", "text": text} for text in said]
    items = exchange.params["input"]
    if content:
        items = [*items, {"role": "assistant", "content": content}]
    params = {key: value for key, value in exchange.params.items() if key != "background"}
    return checked(await exchange.client.responses.create(**{**params, "input": items}))


def _texts(response: Any) -> list[str]:
    return [text for item in read_field(response, "output") or [] for text in texts_of(item)]


def _joined(parts: list[Any]) -> Continued:
    return Continued(
        last=parts[-1],
        output=[item for part in parts for item in read_field(part, "output") or []],
        usages=[read_field(part, "usage") for part in parts],
        continuation_count=len(parts) - 1,
    )


async def _tell(exchange: Exchange, response: Any, number: int) -> None:
    payload = {
        "provider": exchange.provider,
        "response_id": read_field(response, "id"),
        "reason": _reason(response),
        "continuation_number": number,
        "max_attempts": MAX_CONTINUATION_ATTEMPTS,
    }
    await exchange.tell("provider:incomplete_continuation", lambda: payload)
