"""One HTTP request and its response as they went over the wire, without their secrets."""

import base64
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    model_validator,
)

from reports.redact import hide, redact_headers, redact_text

BODY_LIMIT = 65_536
"""Bytes of a body that a report keeps."""
CHUNK_LIMIT = 2_000
"""Chunks of a body whose times a report keeps."""

TEXT_LIMIT = 100_000
"""Characters of any other text that a report keeps."""

Ended = Literal["complete", "cut", "reset", "timeout", "refused"]
"""How the response ended: whole, closed too early, reset, waited for in vain, no connection."""


def _encodable(value: object) -> object:
    """A string that UTF-8 can hold: what a server sends may decode to lone surrogates."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def _told(text: str, info: ValidationInfo) -> str:
    """A text as it may be told; keys that the journal hides are the validation's context."""
    text = redact_text(text)
    if info.context:
        text = hide(text, info.context)
    if len(text) <= TEXT_LIMIT:
        return text
    kept = text[: TEXT_LIMIT - 40]
    return f"{kept}… [{len(text) - len(kept)} more characters]"


Text = Annotated[str, BeforeValidator(_encodable), AfterValidator(_told)]
"""Any text from outside: made encodable, secrets taken out, cut with a note."""


class Record(BaseModel):
    """What every part of a report is: frozen, strict and without unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Body(Record):
    """Bytes as JSON can carry them: text where they are UTF-8, base64 where not."""

    text: Annotated[str, BeforeValidator(_encodable), AfterValidator(redact_text)] = ""
    encoding: Literal["utf-8", "base64"] = "utf-8"
    cut: int = 0
    """Bytes left out at the end."""

    @classmethod
    def of(cls, raw: bytes, limit: int = BODY_LIMIT) -> Self:
        """The first `limit` bytes of `raw`, and how many are left out."""
        kept, cut = raw[:limit], max(0, len(raw) - limit)
        if cut:
            kept = _whole_characters(kept)
            cut = len(raw) - len(kept)
        try:
            return cls(text=kept.decode(), cut=cut)
        except UnicodeDecodeError:
            clean = redact_text(kept.decode("latin-1")).encode("latin-1")
            return cls(text=base64.b64encode(clean).decode(), encoding="base64", cut=cut)

    @model_validator(mode="after")
    def _without_keys(self, info: ValidationInfo) -> Self:
        if not info.context:
            return self
        if self.encoding == "utf-8":
            return self.model_copy(update={"text": hide(self.text, info.context)})
        keys = (key.encode().decode("latin-1") for key in info.context)
        clean = hide(self.raw.decode("latin-1"), keys).encode("latin-1")
        return self.model_copy(update={"text": base64.b64encode(clean).decode()})

    @property
    def raw(self) -> bytes:
        """The bytes that were kept."""
        return self.text.encode() if self.encoding == "utf-8" else base64.b64decode(self.text)


def _whole_characters(kept: bytes) -> bytes:
    """`kept` without the beginning of a UTF-8 character that the limit cut in two."""
    for size in range(1, min(4, len(kept)) + 1):
        lead = kept[-size]
        if lead >= 0xC0:
            width = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            return kept[:-size] if width > size else kept
        if lead < 0x80:
            break
    return kept


class Chunk(Record):
    """A piece of the response body as it arrived."""

    at_ms: float
    """Since the request was sent."""
    size: int
    """Bytes of the body."""


Chunks = Annotated[tuple[Chunk, ...], AfterValidator(lambda chunks: chunks[:CHUNK_LIMIT])]

Headers = Annotated[tuple[tuple[Text, Text], ...], AfterValidator(redact_headers)]
"""Names and values in the order they came, credentials replaced."""


class Exchange(Record):
    """One request and its response; `url` is the server's own, not a relay's in front of it."""

    method: str
    url: Text
    request_headers: Headers = ()
    request_body: Body = Body()
    status: int | None
    response_headers: Headers = ()
    response_body: Body = Body()
    started_ms: float
    """Since the check began."""
    chunks: Chunks = ()
    ended: Ended
