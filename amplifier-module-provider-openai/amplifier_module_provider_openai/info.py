"""What the provider tells about itself, without asking any server."""

from __future__ import annotations

from amplifier_core.models import ConfigField, ProviderInfo

from ._constants import ADVERTISED_MAX_TOKENS, OPENAI_BASE_URL

EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
CAPABILITIES = ["streaming", "tools", "reasoning", "batch", "json_mode"]


def provider_info(
    *, model: str, timeout: float, context_window: int, max_output_tokens: int
) -> ProviderInfo:
    """Limits in tokens, timeout in seconds; the fields are what the setup wizard asks for."""
    return ProviderInfo(
        id="openai",
        display_name="OpenAI",
        credential_env_vars=["OPENAI_API_KEY"],
        capabilities=CAPABILITIES,
        defaults={
            "model": model,
            "max_tokens": ADVERTISED_MAX_TOKENS,
            "temperature": None,
            "timeout": timeout,
            "context_window": context_window,
            "max_output_tokens": max_output_tokens,
        },
        config_fields=CONFIG_FIELDS,
    )


CONFIG_FIELDS = [
    ConfigField(
        id="api_key",
        display_name="API Key",
        field_type="secret",
        prompt="Enter your OpenAI API key",
        env_var="OPENAI_API_KEY",
        required=True,
    ),
    ConfigField(
        id="base_url",
        display_name="API Base URL",
        field_type="text",
        prompt="API base URL (a local server's ends in /v1)",
        env_var="OPENAI_BASE_URL",
        required=False,
        default=OPENAI_BASE_URL,
    ),
    ConfigField(
        id="reasoning_effort",
        display_name="Reasoning Effort",
        field_type="choice",
        prompt="How much should the model reason?",
        choices=EFFORTS,
        required=False,
        default="none",
        requires_model=True,
    ),
    ConfigField(
        id="enable_long_context",
        display_name="Long Context",
        field_type="boolean",
        prompt="Use the whole context window, at a higher price beyond the threshold?",
        required=False,
        default="false",
    ),
    ConfigField(
        id="prompt_cache_key",
        display_name="Prompt Cache Key",
        field_type="text",
        prompt="Key that groups requests for OpenAI's prompt cache (may be empty)",
        required=False,
        default="",
    ),
    ConfigField(
        id="prompt_cache_retention",
        display_name="Prompt Cache Retention",
        field_type="choice",
        prompt="How long should OpenAI keep cached prompts?",
        choices=["in_memory", "24h"],
        required=False,
    ),
    ConfigField(
        id="enable_response_chaining",
        display_name="Response Chaining",
        field_type="choice",
        prompt="Link turns on OpenAI's side?",
        choices=["auto", "true", "false"],
        required=False,
        default="auto",
    ),
    ConfigField(
        id="use_responses_api",
        display_name="Use the Responses API",
        field_type="choice",
        prompt="Responses API (true), Chat Completions (false), or find out (auto)?",
        choices=["auto", "true", "false"],
        required=False,
        default="auto",
    ),
]
