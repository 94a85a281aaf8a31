"""Amplifier provider for OpenAI and for servers that speak its protocols."""

from ._capabilities import get_capabilities as get_capabilities
from ._cost import compute_cost as compute_cost
from ._mount import mount as mount
from .answer import OpenAIChatResponse as OpenAIChatResponse
from .gate import _get_process_semaphore as _get_process_semaphore
from .provider import OpenAIProvider as OpenAIProvider
from .responses_request import _validate_gpt_5_5_pro_effort as _validate_gpt_5_5_pro_effort

__amplifier_module_type__ = "provider"

__all__ = ["OpenAIProvider", "mount"]
