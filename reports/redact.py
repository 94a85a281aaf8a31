"""Takes secrets out of what is recorded; doing it twice changes nothing."""

import json
import re
from collections.abc import Iterable

REDACTED = "[redacted]"

_SECRET_HEADER = re.compile(
    r"authorization|cookie|api[-_]?key|token$|secret|password|openai-(organization|project)",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"(?P<before>\bBearer\s+|\bapi[-_ ]?key[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;\[\]{}<>]{6,}"
    r"|\bsk-[A-Za-z0-9_-]{16,}"
    r"|(?<=://)[^/\s@:]+:[^/\s@]+(?=@)",
    re.IGNORECASE,
)
#: One of these stands in whatever the pattern finds, and few texts have any of them.
_MARKS = ("bearer", "api", "sk-", "@")


def redact_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers with the values of those that carry credentials replaced."""
    return tuple(
        (name, REDACTED if _SECRET_HEADER.search(name) else redact_text(value))
        for name, value in headers
    )


def redact_text(text: str) -> str:
    """Text with everything that looks like a key, a bearer token or a login replaced."""
    lower = text.lower()
    if not any(mark in lower for mark in _MARKS):
        return text
    return _SECRET_TEXT.sub(lambda found: (found["before"] or "") + REDACTED, text)


def spellings(secret: str) -> tuple[str, ...]:
    """How a key may stand in what a server sends: as it is, or within JSON."""
    within = (json.dumps(secret, ensure_ascii=ascii_)[1:-1] for ascii_ in (False, True))
    return tuple(dict.fromkeys((secret, *within)))


def hide(text: str, secrets: Iterable[str]) -> str:
    """Text without these keys."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


def redact_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """A command line's words with the value after `--api-key` and the like replaced."""
    words: list[str] = []
    for flag in flags:
        secret = bool(words) and re.fullmatch(r"--?[\w-]*(key|token|secret|password)", words[-1])
        words.append(REDACTED if secret else redact_text(flag))
    return tuple(words)
