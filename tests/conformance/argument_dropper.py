"""A pytest plugin under which the module loses the arguments of every tool call it passes on."""

from __future__ import annotations

import functools
from typing import Any

from amplifier_core import ChatResponse
from amplifier_module_provider_openai import OpenAIProvider

_parse = OpenAIProvider.parse_tool_calls


@functools.wraps(_parse)
def _without_arguments(self: OpenAIProvider, response: ChatResponse) -> list[Any]:
    return [call.model_copy(update={"arguments": {}}) for call in _parse(self, response)]


OpenAIProvider.parse_tool_calls = _without_arguments  # type: ignore[method-assign]
