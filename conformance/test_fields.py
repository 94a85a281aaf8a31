"""Fields of a request that say nothing to this server, or nothing at all."""

import asyncio
from collections.abc import Iterable
from typing import Any

from conformance.at_once import all_of
from conformance.check import check
from conformance.outcome import about_form
from conformance.wire import WireAsker

#: Fields with a meaning at OpenAI's own, which clients send wherever they connect to.
OPENAI_ONLY = {
    "metadata": {"purpose": "test"},
    "modalities": ["text"],
    "prediction": {"type": "content", "content": "tiger"},
    "prompt_cache_key": "conformance",
    "safety_identifier": "conformance",
    "service_tier": "auto",
    "store": False,
    "user": "conformance",
    "verbosity": "low",
}
#: Fields that may be null by OpenAI's schema.
NULLABLE = [
    *("frequency_penalty", "presence_penalty", "temperature", "top_p", "seed", "logit_bias"),
    *("max_completion_tokens", "max_tokens", "n", "stop", "logprobs", "top_logprobs"),
    *("metadata", "reasoning_effort", "service_tier", "store", "stream", "stream_options"),
]
#: Fields that may not, and yet are null in what typed clients send.
NULL_IN_PRACTICE = ["parallel_tool_calls", "response_format", "tool_choice", "tools", "user"]
EMPTY: list[dict[str, Any] | None] = [{}, None]


async def said(ask: WireAsker, fields: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """What the server says to a plain question with each one of the fields."""
    at_once = asyncio.Semaphore(4)

    async def said_to(name: str, value: Any) -> tuple[str, str]:
        async with at_once:
            answer = await ask.send("Repeat: tiger", **{"max_tokens": 16, name: value})
        if answer.status != 200:
            return name, f"HTTP {answer.status}: {answer.text}"
        return name, answer.reply.text

    return dict(await all_of(*(said_to(*field) for field in fields)))


def ensure_all_said(seen: dict[str, str], expected: str) -> None:
    """Each field is taken, and changes nothing in what is said."""
    with about_form():
        assert {name: text for name, text in seen.items() if text.startswith("HTTP ")} == {}
    assert seen == dict.fromkeys(seen, expected)


@check("fields.openai-only")
async def test_openai_only(ask: WireAsker) -> None:
    """None of them is a reason to refuse, or to say something else."""
    seen = await said(ask, OPENAI_ONLY.items())

    ensure_all_said(seen, "tiger")


@check("fields.null")
async def test_null(ask: WireAsker) -> None:
    """Null is the same as nothing."""
    seen = await said(ask, ((name, None) for name in NULLABLE))

    ensure_all_said(seen, "tiger")


@check("fields.null-in-practice")
async def test_null_in_practice(ask: WireAsker) -> None:
    """So it is where the schema has no null, but clients do."""
    seen = await said(ask, ((name, None) for name in NULL_IN_PRACTICE))

    ensure_all_said(seen, "tiger")


@check("fields.unknown")
async def test_unknown(ask: WireAsker) -> None:
    """A field that nobody knows is passed over, or refused in words."""
    reply = (await ask.send("Repeat: tiger", no_such_field={"a": 1})).if_supported

    assert reply.text == "tiger"


@check("fields.stream-options-empty")
async def test_stream_options_empty(ask: WireAsker) -> None:
    """Options that say nothing leave the stream as it is."""
    for options in EMPTY:
        answer = await ask.send("Repeat: tiger", stream_options=options)
        assert answer.reply.text == "tiger"


@check("fields.stream-options-whole")
async def test_stream_options_whole(ask: WireAsker) -> None:
    """Options for a stream that is not asked for are passed over, or refused in words."""
    answer = await ask.send("Repeat: tiger", stream_options={"include_usage": True})

    answer.ensure_sound()
