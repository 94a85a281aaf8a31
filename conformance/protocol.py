"""What the module under test speaks to the server."""

from __future__ import annotations

import os
from enum import StrEnum

from servers import ServersError

#: What the module asks where its configuration says nothing.
VARIABLE = "OPENAI_USE_RESPONSES_API"
#: The words that the module reads as true and as false.
_TRUE = {"1", "true", "yes", "on", "y", "enabled"}
_FALSE = {"0", "false", "no", "off", "n", "disabled", "none"}


class Protocol(StrEnum):
    """The module's setting `use_responses_api`, by the names of the protocols."""

    CHAT = "chat"
    RESPONSES = "responses"
    AUTO = "auto"

    @classmethod
    def of(cls, setting: object) -> Protocol:
        """The protocol that a value of `use_responses_api` means, as the module reads it.

        Where it is None or nothing, the environment decides. `ServersError` for what can't be read.
        """
        said = os.environ.get(VARIABLE, "") if setting in (None, "") else setting
        word = str(said).strip().lower()
        if word in {"", "auto"}:
            return cls.AUTO
        return cls.RESPONSES if _is_true(word) else cls.CHAT

    @property
    def setting(self) -> bool | str:
        """The value of `use_responses_api`."""
        return "auto" if self is Protocol.AUTO else self is Protocol.RESPONSES

    @property
    def spoken(self) -> str:
        """How a report names it."""
        return {"chat": "chat completions"}.get(self.value, self.value)


def _is_true(word: str) -> bool:
    if word in _TRUE | _FALSE:
        return word in _TRUE
    try:
        return float(word) != 0
    except ValueError:
        raise ServersError(
            f"use_responses_api is {word!r}, which the module can't read", "auto, true or false"
        ) from None
