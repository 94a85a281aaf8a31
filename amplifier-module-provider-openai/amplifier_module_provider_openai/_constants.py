"""Names and figures that more than one module, subclass or test relies on."""

from __future__ import annotations

PROVIDER_NAME = "openai"
OPENAI_BASE_URL = "https://api.openai.com/v1"
USE_RESPONSES_API_VARIABLE = "OPENAI_USE_RESPONSES_API"
PLACEHOLDER_API_KEY = "not-needed"

METADATA_RESPONSE_ID = "openai:response_id"
METADATA_STATUS = "openai:status"
METADATA_INCOMPLETE_REASON = "openai:incomplete_reason"
METADATA_REASONING_ITEMS = "openai:reasoning_items"
METADATA_CONTINUATION_COUNT = "openai:continuation_count"
METADATA_REFUSAL = "openai:refusal"
METADATA_API_MODE = "openai:api_mode"
METADATA_MALFORMED_TOOL_CALLS = "openai:malformed_tool_calls"
METADATA_CUT_TOOL_CALLS = "openai:cut_tool_calls"

DEFAULT_MODEL = "gpt-5.5"
DEFAULT_MAX_TOKENS = 4096
ADVERTISED_MAX_TOKENS = 16384
DEFAULT_REASONING_SUMMARY = "detailed"
DEFAULT_TIMEOUT = 600.0
DEFAULT_STREAM_IDLE_TIMEOUT = 300.0
DEFAULT_TRUNCATION: str | None = None
DEFAULT_PROMPT_CACHE_RETENTION: str | None = "24h"
DEFAULT_POLL_INTERVAL = 5.0
DEFAULT_BACKGROUND_TIMEOUT = 1800.0
MAX_CONTINUATION_ATTEMPTS = 5

NATIVE_TOOL_TYPES = frozenset(
    {
        "apply_patch",
        "code_interpreter",
        "file_search",
        "web_search",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
APPLY_PATCH_OPERATIONS = frozenset({"create_file", "update_file", "delete_file", "rename_file"})

DEEP_RESEARCH_MODELS = frozenset(
    f"{family}{date}"
    for family in ("o3-deep-research", "o4-mini-deep-research")
    for date in ("", "-2025-06-26")
)

BACKGROUND_POLLING_STATUSES = frozenset({"queued", "in_progress", "searching"})

RESPONSE_CHAIN_INVALIDATED = "provider:response_chain_invalidated"
RESPONSE_NOT_FOUND_ERROR_CODES = frozenset({"response_not_found", "previous_response_not_found"})

PROTOCOL_FALLBACK = "provider:protocol_fallback"
STREAM_BLOCK_START = "llm:stream_block_start"
STREAM_BLOCK_DELTA = "llm:stream_block_delta"
STREAM_BLOCK_END = "llm:stream_block_end"
STREAM_ABORTED = "llm:stream_aborted"
STREAM_EVENTS = (STREAM_BLOCK_START, STREAM_BLOCK_DELTA, STREAM_BLOCK_END, STREAM_ABORTED)

# What this module emits beyond amplifier_core.events.ALL_EVENTS.
OBSERVABILITY_EVENTS = (
    *STREAM_EVENTS,
    "provider:concurrency",
    "provider:incomplete_continuation",
    "provider:background_status",
    RESPONSE_CHAIN_INVALIDATED,
    PROTOCOL_FALLBACK,
)
