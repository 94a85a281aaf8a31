"""A scripted server, and a provider that talks to it.

pytest reads this file before every run of the project, those that ask servers too; so what needs
the SDK, which is slow to import, is imported by the fixtures.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from amplifier_core.message_models import ChatRequest, Message
from amplifier_core.testing import MockCoordinator

sys.path.insert(0, str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    from amplifier_module_provider_openai import OpenAIProvider
    from scripted_server import ScriptedServer

HERE = Path(__file__).parent
PATIENCE = 120
Events = list[tuple[str, dict[str, Any]]]
EVENTS = (
    "llm:request",
    "llm:response",
    "llm:stream_block_start",
    "llm:stream_block_delta",
    "llm:stream_block_end",
    "llm:stream_aborted",
    "provider:concurrency",
    "provider:retry",
    "provider:protocol_fallback",
    "provider:tool_sequence_repaired",
    "provider:incomplete_continuation",
    "provider:background_status",
    "provider:response_chain_invalidated",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have a test that waits for what never comes fail, by its name."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment decides a test."""
    of_ours = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_USE_RESPONSES_API")
    for name in (*of_ours, "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of a server whose port another test has used before."""
    module = "amplifier_module_provider_openai"
    monkeypatch.setattr(f"{module}.protocol._known", {})
    monkeypatch.setattr(f"{module}.chat._without_stream_options", set())


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A server without any script yet."""
    from scripted_server import ScriptedServer  # noqa: PLC0415

    async with ScriptedServer() as running:
        yield running


@pytest.fixture
def url_at(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Base URLs under other hosts' names that lead to the scripted server."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *more, **named: look_up("127.0.0.1", *more, **named)
    )
    return lambda host: server.base_url.replace("127.0.0.1", host)


@pytest.fixture
def coordinator() -> MockCoordinator:
    """Amplifier's own coordinator, without a session behind it."""
    return MockCoordinator()


@pytest.fixture
def events(coordinator: MockCoordinator) -> Events:
    """Every event of this module, in order, as a hook sees it."""
    seen: Events = []

    async def record(event: str, data: dict[str, Any]) -> None:
        seen.append((event, dict(data)))

    for event in EVENTS:
        coordinator.hooks.register(event, record, name=f"record {event}")
    return seen


@pytest.fixture
async def make_provider(
    server: ScriptedServer, coordinator: MockCoordinator
) -> AsyncIterator[Callable[..., OpenAIProvider]]:
    """Makes providers for the scripted server; keyword arguments are config keys."""
    from amplifier_module_provider_openai import OpenAIProvider  # noqa: PLC0415

    made: list[OpenAIProvider] = []

    def make(**config: Any) -> OpenAIProvider:
        config = {"base_url": server.base_url, "max_retries": 0, "default_model": "tiny", **config}
        made.append(OpenAIProvider("test-key", config=config, coordinator=coordinator))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


@pytest.fixture
def chat(make_provider: Callable[..., OpenAIProvider]) -> OpenAIProvider:
    """A provider that speaks Chat Completions."""
    return make_provider(use_responses_api=False)


@pytest.fixture
def say() -> Callable[..., ChatRequest]:
    """Makes requests of one user message; keyword arguments are fields of the request."""

    def make(text: str = "Hi", **fields: Any) -> ChatRequest:
        fields.setdefault("messages", [Message(role="user", content=text)])
        return ChatRequest(**fields)

    return make
