"""The check of the context window: what is wrong with the server's list is no fault of ours."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance import test_module
from conformance.bench import Bench
from conformance.outcome import NotAnswered, Unsupported, outcome_of
from conformance.provider import ProviderAsker
from conformance.stand_in import Canned, always, stand_in
from reports import Outcome

NOWHERE = "http://127.0.0.1:9/v1"


def listing(**windows: int | None) -> Canned:
    """A model list in vLLM's words."""
    cards = [{"id": id_, "object": "model", "max_model_len": size} for id_, size in windows.items()]
    return Canned(200, json.dumps({"object": "list", "data": cards}))


async def judge(answer: Canned, list_models: Any, default: int = 0) -> None:
    """The check's body, for the model "tiny", on a server whose list this is."""

    async def listed() -> Any:
        return list_models()

    info = SimpleNamespace(defaults={"context_window": default})
    provider = SimpleNamespace(list_models=listed, get_info=lambda: info)
    ask = cast("ProviderAsker", SimpleNamespace(model="tiny", provider=provider))
    async with stand_in(NOWHERE, always(answer)) as server:
        bench = SimpleNamespace(url=server.url, target=SimpleNamespace(api_key=None))
        await test_module.test_context_window(ask, cast("Bench", bench))


def models(**windows: int) -> Any:
    """What the module's `list_models()` gives."""
    return lambda: [SimpleNamespace(id=id_, context_window=one) for id_, one in windows.items()]


async def test_card_of_the_model_that_is_asked_counts() -> None:
    await judge(listing(large=200_000, tiny=8192), models(large=200_000, tiny=8192), default=8192)


@pytest.mark.parametrize(
    "answer",
    [
        listing(large=200_000, tiny=None),
        listing(large=200_000),
        Canned(500, '{"error": {"message": "oops"}}'),
        Canned(200, "<html>"),
        Canned(200, "[]"),
        Canned(0),
    ],
    ids=["untold", "another", "error", "html", "list", "broken"],
)
async def test_list_that_tells_nothing_is_not_the_modules_fault(answer: Canned) -> None:
    with pytest.raises(Unsupported, match="model list"):
        await judge(answer, models(tiny=8192))


def raising() -> Any:
    """A module that expects what is not there."""
    raise KeyError("data")


async def test_module_that_can_not_list_is_at_fault() -> None:
    with pytest.raises(NotAnswered, match="raised KeyError") as raised:
        await judge(listing(tiny=8192), raising)

    assert outcome_of(raised.value) is Outcome.FAIL
