"""What a broken module does is told as the module's fault, and never as the suite's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from amplifier_core import AmplifierSession, ChatResponse, LLMError, Provider, llm_errors
from amplifier_core.message_models import TextBlock

from conformance import test_tool_choice
from conformance.canned import refused
from conformance.conversation import Told
from conformance.mount import Mounted, mounted
from conformance.outcome import Malformed, NotAnswered, Refused, outcome_of
from conformance.provider import ProviderAsker
from conformance.stand_in import always, stand_in
from reports import Mode, Outcome

ENTRY: dict[str, Any] = {"module": "provider-openai", "config": {"default_model": "tiny"}}
ANSWER = ChatResponse(content=[TextBlock(text="tiger")])


def asker(complete: Callable[[], Any], other: Callable[[], Any] = list) -> ProviderAsker:
    """An asker through a provider whose `complete()`, and whose other methods, end like this."""

    async def completed(*_: Any, **__: Any) -> Any:
        return complete()

    async def listed() -> Any:
        return other()

    provider = SimpleNamespace(
        complete=completed, list_models=listed, parse_tool_calls=lambda _: other()
    )
    mount = Mounted(cast("AmplifierSession", None), {"it": cast("Provider", provider)})
    return ProviderAsker(mount, ENTRY, Mode.WHOLE)


def raising(error: BaseException) -> Callable[[], Any]:
    """A method that ends so."""

    def method() -> Any:
        raise error

    return method


#: What a module may raise, and nothing of it is the suite's own.
ERRORS = [
    AttributeError("no such attribute"),
    ExceptionGroup("several", [ValueError("one")]),
    llm_errors.ProviderUnavailableError("overloaded", status_code=503),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
async def test_error_in_place_of_an_answer_is_no_answer(error: Exception) -> None:
    ask = asker(raising(error))
    request = ask.request("Repeat: tiger")

    for asked in (ask.complete(request), ask.text("Repeat: tiger"), ask("Repeat: tiger")):
        with pytest.raises(NotAnswered, match=type(error).__name__) as raised:
            await asked
        assert raised.value.__cause__ is error
        assert outcome_of(raised.value) is Outcome.FAIL


async def test_refusal_of_the_servers_is_handed_on_to_bodies_as_well() -> None:
    ask = asker(raising(llm_errors.InvalidRequestError("no such field", status_code=400)))

    with pytest.raises(Refused):
        await ask.complete(ask.request("Repeat: tiger"))


async def test_typed_error_is_returned_where_one_is_wanted() -> None:
    error = llm_errors.RateLimitError("slow down", status_code=429)

    assert await asker(raising(error)).error("Repeat: tiger") is error


async def test_error_that_is_none_of_the_kernels_is_a_failure() -> None:
    with pytest.raises(Malformed, match="raised KeyError, which is none of the kernel's") as raised:
        await asker(raising(KeyError("choices"))).error("Repeat: tiger")

    assert outcome_of(raised.value) is Outcome.FAIL


async def test_answer_in_place_of_an_error_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="raised no error, but answered"):
        await asker(lambda: ANSWER).error("Repeat: tiger")


@pytest.mark.parametrize(
    "ask",
    [asker(lambda: None), asker(lambda: ANSWER, raising(KeyError("id"))), asker(lambda: "tiger")],
    ids=["nothing", "calls", "text"],
)
async def test_answer_that_cant_be_read_is_the_modules_fault(ask: ProviderAsker) -> None:
    with pytest.raises(NotAnswered):
        await ask("Repeat: tiger")


async def test_answer_of_another_kind_is_none_for_bodies_either() -> None:
    ask = asker(lambda: {"content": "tiger"})

    for asked in (ask.complete(ask.request("Repeat: tiger")), ask.error("Repeat: tiger")):
        with pytest.raises(NotAnswered, match="no ChatResponse"):
            await asked


async def test_event_without_a_key_is_the_modules_fault() -> None:
    ask = asker(lambda: ANSWER)
    ask.events.append((0.0, "llm:response", Told(duration_ms=1)))

    with pytest.raises(AssertionError, match="no 'status' in"):
        assert ask.emitted("llm:response")[0]["status"] == "ok"


async def test_methods_that_fail_are_named() -> None:
    ask = asker(lambda: ANSWER, raising(TypeError("unhashable")))

    with pytest.raises(NotAnswered, match=r"parse_tool_calls\(\) raised TypeError: unhashable"):
        ask.calls(ANSWER)
    with pytest.raises(NotAnswered, match=r"list_models\(\) raised TypeError: unhashable"):
        await ask.models()


@pytest.mark.parametrize(
    "end", [asyncio.CancelledError(), pytest.skip.Exception("later")], ids=["cancel", "skip"]
)
async def test_what_ends_the_test_itself_passes_through(end: BaseException) -> None:
    ask = asker(raising(end))
    request = ask.request("Repeat: tiger")

    for asked in (ask.complete(request), ask.ended(request), ask("Repeat: tiger")):
        with pytest.raises(type(end)):
            await asked


@asynccontextmanager
async def facing_only(answer: Any) -> AsyncIterator[ProviderAsker]:
    """The real module in front of a server that has this one answer."""
    async with stand_in("http://127.0.0.1:9/v1", always(answer)) as server:
        config = {"base_url": server.url, "use_responses_api": False, "max_retries": 0}
        entry = {**ENTRY, "config": ENTRY["config"] | config}
        async with mounted(entry) as mount:
            yield ProviderAsker(mount, entry, Mode.WHOLE)


async def test_server_that_refuses_what_the_module_sent_is_a_failure_of_the_body() -> None:
    async with facing_only(refused(400, "tools must not be empty")) as ask:
        with pytest.raises(NotAnswered, match="tools must not be empty") as raised:
            await test_tool_choice.test_none_offered(ask)

    assert isinstance(raised.value.__cause__, LLMError)
    assert outcome_of(raised.value) is Outcome.FAIL
