"""Whose machine a base URL means (contract §7.4)."""

from __future__ import annotations

import pytest

from amplifier_module_provider_openai.endpoint import endpoint_of


@pytest.mark.parametrize(
    ("url", "custom"),
    [
        (None, False),
        ("", False),
        ("https://api.openai.com/v1", False),
        ("https://eu.api.openai.com/v1/", False),
        ("https://me.openai.azure.com/openai/v1", False),
        ("https://me.cognitiveservices.azure.com", False),
        ("https://me.services.ai.azure.com/models", False),
        ("https://api.openai.com.evil.example/v1", True),
        ("https://notapi.openai.com/v1", True),
        ("http://localhost:8080/v1", True),
        ("http://[::1]:8080/v1", True),
        ("https://openrouter.ai/api/v1", True),
    ],
)
def test_whose_host_it_is(url, custom):
    assert endpoint_of(url).is_custom is custom


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_an_endpoint_shows_neither_credentials_nor_query(path):
    endpoint = endpoint_of(f"http://joe:secret@localhost:8080{path}?key=secret")

    assert endpoint.base_url == "http://localhost:8080/v1"
