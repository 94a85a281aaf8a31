"""Config values as YAML and as the setup wizard give them (contract §1.4)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from amplifier_core import llm_errors as kernel

from amplifier_module_provider_openai import OpenAIProvider
from amplifier_module_provider_openai.config import Settings
from amplifier_module_provider_openai.credentials import client_arguments
from scripted_server import chunk, stream

CHAT, RESPONSES = "/chat/completions", "/responses"


@pytest.mark.parametrize("value", [True, "true", "1", "yes", "on", 1, " True "])
def test_true(value):
    assert Settings.from_config({"raw": value}).raw is True


@pytest.mark.parametrize("value", [False, "false", "0", "no", "off", 0])
def test_false(value):
    assert Settings.from_config({"use_streaming": value}).use_streaming is False


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_the_default(value):
    settings = Settings.from_config({"timeout": value, "base_url": value, "max_retries": value})

    assert (settings.timeout, settings.base_url, settings.max_retries) == (600.0, None, 5)


def test_numbers_from_words():
    settings = Settings.from_config({"priority": "4", "timeout": "90.5", "max_tokens": "5.0"})

    assert (settings.priority, settings.timeout, settings.max_tokens) == (4, 90.5, 5)
    assert isinstance(settings.priority, int)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("raw", "perhaps"),
        ("priority", "4.5"),
        ("timeout", "soon"),
        ("extra_request_params", "x"),
        ("use_responses_api", "maybe"),
        ("base_url", "localhost:8080/v1"),
        ("base_url", "http://localhost:abc/v1"),
        ("base_url", "http://localhost:80800/v1"),
        ("max_retries", "-1"),
        ("timeout", "nan"),
        ("stream_idle_timeout", -5),
        ("reasoning_replay", "yes"),
        ("reasoning_effort", True),
    ],
)
def test_what_cannot_be_read_is_told(key, value):
    with pytest.raises(kernel.ConfigurationError) as caught:
        Settings.from_config({key: value})

    assert repr(key) in str(caught.value)
    assert repr(value) in str(caught.value)
    assert "settings.yaml" in str(caught.value)


def test_a_password_in_a_refused_url_is_not_told():
    with pytest.raises(kernel.ConfigurationError) as caught:
        Settings.from_config({"base_url": "joe:s3cret@host:8080/v1"})

    assert "'host:8080/v1'" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_password_in_the_environments_url_is_not_told(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "joe:s3cret@host:8080/v1")

    with pytest.raises(kernel.ConfigurationError) as caught:
        client_arguments("k", None)

    assert "'host:8080/v1'" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"), [({}, "24h"), ({"prompt_cache_retention": ""}, None)]
)
def test_an_empty_retention_is_none_and_an_absent_one_the_default(given, expected):
    assert Settings.from_config(given).prompt_cache_retention == expected


def test_off_in_yaml_is_a_word():
    settings = Settings.from_config({"reasoning_effort": False, "reasoning_replay": False})

    assert (settings.reasoning_effort, settings.reasoning_replay) == ("none", "none")


def test_others_keys_are_left_alone():
    assert Settings.from_config({"azure_endpoint": "x"}) == Settings()


def test_what_others_read_from_the_provider():
    config = {"priority": "0", "base_url": "http://localhost/v1", "default_model": "x"}

    provider = OpenAIProvider("k", config=config)

    assert provider.config is config
    assert provider.priority == 0
    assert provider.base_url == "http://localhost/v1"
    assert provider.default_model == "x"
    assert provider.use_streaming is True
    assert provider.raw is False
    assert provider.timeout == 600.0


@pytest.fixture
def environment(monkeypatch):
    """Sets the variable that decides where config does not."""
    return lambda value: monkeypatch.setenv("OPENAI_USE_RESPONSES_API", value)


@pytest.mark.parametrize(
    ("in_environment", "config", "options", "asked"),
    [
        ("false", {}, {}, [CHAT]),
        ("true", {}, {}, [RESPONSES]),
        ("auto", {}, {}, [RESPONSES, CHAT]),
        ("", {}, {}, [RESPONSES, CHAT]),
        ("true", {"use_responses_api": ""}, {}, [RESPONSES]),
        ("true", {"use_responses_api": "false"}, {}, [CHAT]),
        ("false", {"use_responses_api": "auto"}, {}, [RESPONSES, CHAT]),
        ("true", {}, {"use_responses_api": False}, [CHAT]),
        ("true", {"use_responses_api": "true"}, {"use_responses_api": "false"}, [CHAT]),
    ],
)
async def test_option_then_config_then_environment_say_which_protocol(
    server, make_provider, say, environment, in_environment, config, options, asked
):
    environment(in_environment)
    server.on(CHAT, stream(chunk("Hello"), chunk(finish="stop")))

    with suppress(kernel.NotFoundError):
        await make_provider(**config).complete(say(), **options)

    assert server.paths() == asked


def test_an_environment_that_cannot_be_read_is_told(environment):
    environment("perhaps")

    with pytest.raises(kernel.ConfigurationError, match=r"OPENAI_USE_RESPONSES_API.*'perhaps'"):
        Settings.from_config({})
