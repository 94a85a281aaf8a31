"""Failures that a flag would mend: what the server was started without, as its answers show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from conformance.answer import Answer
from conformance.aside import asked_aside, posted_aside
from conformance.bench import Bench
from conformance.completion import ErrorBody
from conformance.outcome import NotAnswered
from conformance.protocol import Protocol
from conformance.reply import Reply
from fixtures.tools import WEATHER
from reports import Exchange

#: An option of a command line, as error messages name the one that is missing.
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_CALL, _THOUGHT = "<tool_call>", "<think>"
#: Where Responses are asked for, and what says that nobody is there.
_RESPONSES, _NO_ROUTE = "/responses", {404, 405, 501}
#: Questions that show whether the server reads either.
_TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": WEATHER}]}
_THINK: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": True}}


def lacking(bench: Bench, exchanges: Iterable[Exchange]) -> str | None:
    """The evidence that the server's set-up lacks something; None where nothing says so."""
    for exchange in exchanges:
        if found := _option_named(exchange):
            return found
        if _astray(exchange) and bench.protocol is Protocol.RESPONSES and not _responds(bench):
            return (
                "set-up: the server has no Responses API, and the module is told to speak it"
                f" (use_responses_api: true): {exchange.status} at {_RESPONSES}"
            )
        markup = _unread(exchange)
        if markup and not _reads(bench, markup):
            parser = "tool" if markup == _CALL else "reasoning"
            return (
                f"set-up: {markup} stands in the text, so the server runs without a {parser} parser"
            )
    return None


def _option_named(exchange: Exchange) -> str | None:
    """What an error says, where it names an option to start the server with."""
    if exchange.status is None or exchange.status < 400:
        return None
    with suppress(AssertionError):
        said = ErrorBody.read(exchange.response_body.text).message
        if _OPTION.search(said):
            return f"set-up: the server answered {exchange.status}: {said[:300]}"
    return None


def _astray(exchange: Exchange) -> bool:
    return exchange.url.endswith(_RESPONSES) and exchange.status in _NO_ROUTE


def _responds(bench: Bench) -> bool:
    """Whether the server itself has Responses, whatever a stand-in said; found out once."""
    if _RESPONSES not in bench.knows:
        asked = {"input": "Repeat: tiger", "max_output_tokens": 16}
        with suppress(NotAnswered):
            status = posted_aside(bench, _RESPONSES.lstrip("/"), asked).status
            bench.knows[_RESPONSES] = status not in _NO_ROUTE
    return bench.knows.get(_RESPONSES, True)


def _unread(exchange: Exchange) -> str | None:
    """The markup of a call or a thought that was made, and stands in the text."""
    asked, reply = _asked(exchange), _reply(exchange)
    if reply is None or reply.finish_reason == "length":
        return None
    may_call = asked.get("tools") and asked.get("tool_choice") != "none"
    if may_call and not reply.tool_calls and _CALL in reply.text:
        return _CALL
    return _THOUGHT if not reply.reasoning and _THOUGHT in reply.text else None


def _asked(exchange: Exchange) -> dict[str, Any]:
    with suppress(ValueError):
        body = json.loads(exchange.request_body.raw)
        return body if isinstance(body, dict) else {}
    return {}


def _reply(exchange: Exchange) -> Reply | None:
    if "/chat/" not in exchange.url or exchange.status is None or exchange.response_body.cut:
        return None
    headers = {name.lower(): value for name, value in exchange.response_headers}
    with suppress(AssertionError, NotAnswered):
        return Answer(exchange.status, headers, exchange.response_body.text).reply
    return None


def _reads(bench: Bench, markup: str) -> bool:
    """Whether the server reads such markup where it is asked plainly; found out once."""
    if markup not in bench.knows:
        bench.knows[markup] = _shown(bench, markup)
    return bench.knows[markup]


def _shown(bench: Bench, markup: str) -> bool:
    with suppress(AssertionError, NotAnswered):
        if markup == _CALL:
            asked = asked_aside(bench, "What is the weather in Oslo?", max_tokens=64, **_TOOLS)
            return bool(asked.reply.tool_calls)
        asked = asked_aside(bench, "Think first. Repeat: tiger river lamp", max_tokens=64, **_THINK)
        return bool(asked.reply.reasoning)
    return False
