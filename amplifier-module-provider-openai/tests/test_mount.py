"""Mounting, and what the mounted provider shows to others (contract §1)."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import ChatResponse, TextBlock, ToolCall
from amplifier_core.testing import MockCoordinator
from amplifier_core.validation import ProviderValidator

import amplifier_module_provider_openai as package
from amplifier_module_provider_openai import OpenAIProvider, mount, tls
from scripted_server import Answer, chunk, response, stream

CHAT = "/chat/completions"
CARD = {"id": "tiny", "object": "model", "created": 1, "owned_by": "me"}


def test_the_entry_point_leads_here():
    (entry,) = entry_points(group="amplifier.modules", name="provider-openai")

    assert entry.load() is mount


def test_the_public_face():
    assert package.__all__ == ["OpenAIProvider", "mount"]
    assert package.__amplifier_module_type__ == "provider"
    assert package.OpenAIChatResponse.__mro__[1] is ChatResponse
    for name in ("stream", "debug", "raw_debug", "debug_truncate_length"):
        assert not hasattr(OpenAIProvider("k"), name)


async def test_mounts_under_its_name_and_cleans_up(coordinator, server):
    cleanup = await mount(coordinator, {"api_key": "k", "base_url": server.base_url})

    provider = coordinator.mount_points["providers"]["openai"]
    assert cleanup is not None
    await cleanup()
    await cleanup()

    assert isinstance(provider, OpenAIProvider)
    assert provider._client is None
    assert not server.requests


async def test_no_key_for_openai_mounts_nothing(coordinator, caplog):
    cleanup = await mount(coordinator, {})

    assert cleanup is None
    assert not coordinator.mount_points["providers"]
    assert "OPENAI_API_KEY" in caplog.text


async def test_a_local_server_needs_no_key(coordinator, server, say):
    server.on(CHAT, stream(chunk("Hi"), chunk(finish="stop")))
    config = {"base_url": server.base_url, "use_responses_api": "false", "api_key": ""}

    await mount(coordinator, config)
    provider = coordinator.mount_points["providers"]["openai"]
    await provider.complete(say())
    await provider.close()

    assert server.requests[0].headers["authorization"] == "Bearer not-needed"


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"base_url": "http://localhost/v1"}, "not-needed"),
        ({"base_url": "http://localhost/v1", "api_key": "mine"}, "mine"),
        ({"base_url": "https://api.openai.com/v1"}, "sk-env"),
        ({"base_url": ""}, "sk-env"),
        ({}, "sk-env"),
    ],
)
async def test_the_environments_key_stays_with_the_environments_host(
    coordinator, monkeypatch, config, key
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")

    await mount(coordinator, config)

    assert coordinator.mount_points["providers"]["openai"]._api_key == key


async def test_a_host_from_the_environment_needs_no_key_either(coordinator, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")

    await mount(coordinator, None)
    provider = coordinator.mount_points["providers"]["openai"]
    url = str(provider.client.base_url)
    await provider.close()

    assert url == "http://localhost:1/v1/"


async def test_a_host_from_the_environment_is_found_out_as_any_other(
    server, monkeypatch, make_provider, say
):
    server.on("/responses", Answer.json({"detail": "Not Found"}, 404))
    server.on(CHAT, stream(chunk("Hi"), chunk(finish="stop")))
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)

    answer = await make_provider(base_url=None).complete(say())

    assert answer.text == "Hi"
    assert not {"store", "prompt_cache_retention"} & set(server.bodies("/responses")[0])


async def test_headers_from_the_environment_stay_with_the_environments_host(
    server, monkeypatch, say, chat
):
    server.on(CHAT, stream(chunk("Hi"), chunk(finish="stop")))
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: blue\nAuthorization: Bearer sk-env")

    await chat.complete(say())

    assert "x-team" not in server.requests[0].headers
    assert server.requests[0].headers["authorization"] == "Bearer test-key"


async def test_a_base_url_without_a_scheme_is_told(coordinator):
    with pytest.raises(kernel.ConfigurationError, match="http://localhost:8080/v1"):
        await mount(coordinator, {"base_url": "localhost:8080/v1"})


async def test_an_empty_host_in_the_environment_is_none(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    provider = OpenAIProvider("k")

    url = str(provider.client.base_url)
    await provider.close()

    assert url == "https://api.openai.com/v1/"


async def test_all_clients_share_one_tls_context_that_verifies(make_provider):
    clients = [make_provider().client for _ in range(2)]

    assert len({id(client) for client in clients}) == 2
    assert tls._context.cache_info().currsize == 1
    assert tls._context().verify_mode is ssl.CERT_REQUIRED


def test_openai_is_not_asked_without_a_key():
    with pytest.raises(ValueError, match="api_key"):
        _ = OpenAIProvider().client


async def test_contributions_to_the_session(coordinator):
    await mount(coordinator, {"api_key": "k"})
    provider = coordinator.mount_points["providers"]["openai"]

    before = await coordinator.collect_contributions("session.cost")
    provider._add_cost(Decimal("0.5"))
    provider._add_cost(Decimal("0.25"))
    after = await coordinator.collect_contributions("session.cost")
    (names,) = await coordinator.collect_contributions("observability.events")

    assert [cost for cost in before if cost] == []
    assert after == [{"cost_usd": "0.75"}]
    assert {"provider:protocol_fallback", "llm:stream_block_delta"} <= set(names)


async def test_a_value_that_cannot_be_read_names_its_key(coordinator):
    with pytest.raises(kernel.ConfigurationError) as caught:
        await mount(coordinator, {"api_key": "k", "timeout": "soon"})

    assert "timeout" in str(caught.value)
    assert "soon" in str(caught.value)


def test_info_needs_neither_key_nor_server():
    info = OpenAIProvider("", config={}).get_info()

    assert info.id == "openai"
    assert info.defaults["model"] == "gpt-5.5"
    assert info.defaults["context_window"] == 1_000_000
    assert [field.id for field in info.config_fields] == [
        "api_key",
        "base_url",
        "reasoning_effort",
        "enable_long_context",
        "prompt_cache_key",
        "prompt_cache_retention",
        "enable_response_chaining",
        "use_responses_api",
    ]


def test_tool_calls_are_those_of_the_answer():
    call = ToolCall(id="a", name="look", arguments={})
    provider = OpenAIProvider("k")

    assert provider.parse_tool_calls(ChatResponse(content=[], tool_calls=[call])) == [call]
    assert provider.parse_tool_calls(ChatResponse(content=[TextBlock(text="a")])) == []


async def test_cores_validator_passes_nine_of_nine(server):
    config = {"api_key": "x", "base_url": server.base_url}

    result = await ProviderValidator().validate("amplifier_module_provider_openai", config=config)

    assert result.passed
    assert len(result.checks) == 9
    assert not server.requests


async def run(server, *command, cwd=None):
    """Run a command of amplifier-core against the scripted server."""
    server.on("/models", Answer.json({"object": "list", "data": [CARD]}))
    environment = {**os.environ, "OPENAI_API_KEY": "x", "OPENAI_BASE_URL": server.base_url}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


# The command's own status: the process crashed once as it ended, after all nine checks had passed
# (signal 11, amplifier-core 2.0.2, whose threads outlive the interpreter).
CLI = """
import os, sys
from amplifier_core.cli import main
try:
    main()
except SystemExit as end:
    sys.stdout.flush()
    os._exit(end.code or 0)
"""


async def test_cores_command_line_passes_nine_of_nine(server):
    folder = str(Path(package.__file__).parent)

    status, output = await run(server, sys.executable, "-c", CLI, "validate", "provider", folder)

    assert status == 0, output
    assert "9/9" in output


SUITES = """
from amplifier_core.validation.behavioral import ProviderBehaviorTests
from amplifier_core.validation.structural import ProviderStructuralTests

class TestBehaviour(ProviderBehaviorTests): pass
class TestStructure(ProviderStructuralTests): pass
"""


async def test_cores_own_suites_pass(server, tmp_path):
    (tmp_path / "test_core_suites.py").write_text(SUITES)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope=function\n")
    folder = str(Path(package.__file__).parent)

    status, output = await run(
        server, sys.executable, "-m", "pytest", "-q", ".", "--module-path", folder, cwd=tmp_path
    )

    assert status == 0, output
    assert "6 passed" in output


async def test_a_session_with_responses(server, say):
    server.on("/responses", Answer.json(response(text="Hi")))
    coordinator = MockCoordinator()
    await mount(coordinator, {"base_url": server.base_url})
    provider = coordinator.mount_points["providers"]["openai"]

    answer = await provider.complete(say(metadata={"stream": False}))
    await provider.close()

    assert answer.text == "Hi"
