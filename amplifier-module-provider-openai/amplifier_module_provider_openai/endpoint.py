"""Where requests go, and whose machine that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

_OPENAI_HOST = "api.openai.com"
_AZURE_SUFFIXES = (
    ".openai.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
)


@dataclass(frozen=True)
class Endpoint:
    """A base URL without credentials or query, and what kind of host answers there."""

    base_url: str
    is_openai: bool
    is_azure: bool

    @property
    def is_custom(self) -> bool:
        """Neither OpenAI nor Azure: a local server, a proxy, another vendor."""
        return not (self.is_openai or self.is_azure)

    def url(self, path: str) -> str:
        """Full URL of an API path such as "responses", for messages to people."""
        return f"{self.base_url}/{path}"


@lru_cache(maxsize=64)
def endpoint_of(base_url: str | None) -> Endpoint:
    """The endpoint behind a base URL; None, or one without a host, stands for OpenAI's own."""
    split = urlsplit(base_url or "")
    host = (split.hostname or "").rstrip(".").lower()
    if not host:
        return Endpoint(f"https://{_OPENAI_HOST}/v1", is_openai=True, is_azure=False)
    netloc = split.netloc.rpartition("@")[2]
    return Endpoint(
        urlunsplit((split.scheme, netloc, split.path.rstrip("/"), "", "")),
        is_openai=host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}"),
        is_azure=host.endswith(_AZURE_SUFFIXES),
    )
