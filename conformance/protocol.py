"""What the module under test speaks to the server."""

from __future__ import annotations

from enum import StrEnum


class Protocol(StrEnum):
    """The module's setting `use_responses_api`, by the names of the protocols."""

    CHAT = "chat"
    RESPONSES = "responses"
    AUTO = "auto"

    @classmethod
    def of(cls, setting: object) -> Protocol:
        """The protocol that a value of `use_responses_api` means; Chat Completions for None."""
        text = str(setting).lower()
        if text == "auto":
            return cls.AUTO
        return cls.RESPONSES if text == "true" else cls.CHAT

    @property
    def setting(self) -> bool | str:
        """The value of `use_responses_api`."""
        return "auto" if self is Protocol.AUTO else self is Protocol.RESPONSES

    @property
    def spoken(self) -> str:
        """How a report names it."""
        return {"chat": "chat completions"}.get(self.value, self.value)
