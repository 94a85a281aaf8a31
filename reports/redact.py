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
_NAMED = r"[\w-]*(?:key|token|secret|password)"
_SECRET_FLAG = re.compile(rf"--?{_NAMED}", re.IGNORECASE)
#: A flag with its value in one word, or a variable of the environment.
_SECRET_VALUE = re.compile(rf"(?<![\w-]){_NAMED}(?:=|\s+)(?P<value>\S+)", re.IGNORECASE)
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
    """A command line's words with the value of `--api-key`, `HF_TOKEN=` and the like replaced."""
    words: list[str] = []
    for flag in flags:
        secret = bool(words) and _SECRET_FLAG.fullmatch(words[-1])
        words.append(REDACTED if secret else _SECRET_VALUE.sub(_told, redact_text(flag)))
    return tuple(words)


def _told(found: re.Match[str]) -> str:
    return found[0].removesuffix(found["value"]) + REDACTED
