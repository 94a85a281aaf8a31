"""Which tools a request offers and how the model is to choose, the same for both protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplifier_core.message_models import ChatRequest

from .history import read_field


@dataclass(frozen=True, slots=True)
class Offer:
    """Tools as Amplifier has them, a choice, and `parallel_tool_calls` unless someone sets it."""

    tools: list[Any]
    choice: Any = None
    parallel: bool | None = None


def offer_of(request: ChatRequest, options: Mapping[str, Any], *, custom: bool) -> Offer:
    """What request and keyword arguments ask for, in words that every server knows if `custom`.

    "none" offers no tools: MLX (0.32.2) calls them all the same, llama.cpp (b11549) and vLLM
    (0.32.0) leave the markup of a call in the text. A named tool is the only one, and
    required, once: llama.cpp reads the mapping as "auto", LM Studio refuses it.
    """
    tools = [*(request.tools or []), *(options.get("tools") or [])]
    choice = options.get("tool_choice") if request.tool_choice is None else request.tool_choice
    if custom and choice == "none":
        return Offer([])
    name = named_tool(choice) if custom else None
    only = [tool for tool in tools if name and _name_of(tool) == name]
    return Offer(only[:1], "required", parallel=False) if only else Offer(tools, choice)


def named_tool(choice: Any) -> str | None:
    """The tool that a choice names, in either protocol's mapping; None for any other choice."""
    if not isinstance(choice, Mapping) or choice.get("type") != "function":
        return None
    name = read_field(choice.get("function"), "name") or choice.get("name")
    return name if isinstance(name, str) else None


def _name_of(tool: Any) -> Any:
    return read_field(tool, "name") or read_field(read_field(tool, "function"), "name")
