"""Text from a server made harmless: for terminals, for Markdown, and never too long."""

import re

LINE_LIMIT = 300
"""Characters of foreign text in a line."""
BLOCK_LIMIT = 16_000
"""Characters of foreign text in a block."""

# Controls, and the format characters that reorder or hide what stands beside them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\uffff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_ADDRESS = re.compile(r"https?://[^\s<>|]+", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_\[\]|~]|^[-+>#=])")


def visible(text: str, limit: int = BLOCK_LIMIT) -> str:
    r"""Text in which nothing acts on a terminal: an escape reads `\x1b`; cut with a note."""
    kept = _INVISIBLE.sub(_spelt, text[:limit])
    more = len(text) - limit
    return f"{kept}… [{more} more characters]" if more > 0 else kept


def line(text: str, limit: int = LINE_LIMIT) -> str:
    """`visible` text in one line."""
    return visible(" ".join(text.split()), limit)


def plain(text: str) -> str:
    """One line of Markdown that shows the text and nothing else."""
    return _escaped(line(text))


def prose(text: str) -> str:
    """One line of Markdown from a text of the project's own, in which backticks set off code."""
    parts = re.split(r"`([^`]+)`", line(text, BLOCK_LIMIT))
    shown = (code(part) if number % 2 else _escaped(part) for number, part in enumerate(parts))
    return "".join(shown)


def link(url: str) -> str:
    """A web address in Markdown, which leads there; whatever else it may be is `plain`."""
    return f"<{url}>" if _ADDRESS.fullmatch(url) and line(url) == url else plain(url)


def code(text: str) -> str:
    """A Markdown code span, also inside a table."""
    shown = line(text).replace("|", r"\|")
    if not shown:
        return "–"
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fence(text: str, language: str = "") -> str:
    """A Markdown code block that the text can't end."""
    shown = visible(text)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"


def _escaped(shown: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\1", shown)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace("@", "@\u2060")


def _spelt(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
