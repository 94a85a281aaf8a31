"""One running instance of a server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ModelPaths:
    """The model that is served: one GGUF file, and a folder in Hugging Face form."""

    name: str
    gguf: Path
    safetensors: Path
    digest: str


@dataclass(frozen=True)
class ServerLog:
    """What the server wrote to its output, in a file that grows."""

    file: Path

    def mark(self) -> int:
        """Where the log ends now, in bytes."""
        return self.file.stat().st_size if self.file.exists() else 0

    def since(self, mark: int) -> str:
        """What was written after `mark`; bytes that aren't UTF-8 become U+FFFD."""
        if not self.file.exists():
            return ""
        with self.file.open("rb") as stream:
            stream.seek(mark)
            return stream.read().decode(errors="replace")

    def tail(self, lines: int = 15) -> str:
        """The last lines, without blank ones."""
        written = [line for line in self.since(0).splitlines() if line.strip()]
        return "\n".join(written[-lines:])


def _unknown() -> str | None:
    return None


@dataclass(kw_only=True)
class Target:
    """Where a server listens and what it is; `url` ends in `/v1`, without a slash.

    `how` is `native`, `container` or `attach`. `flags` are its environment and its flags as
    in the YAML file, so that two machines give the same. `image` is a digest. `pid` is the
    server's own.
    """

    server: str
    title: str
    how: str
    log: ServerLog
    url: str = ""
    model: str = ""
    version: str = ""
    build: str = ""
    api_key: str | None = field(default=None, repr=False)
    flags: list[str] = field(default_factory=list)
    image: str = ""
    pid: int | None = None
    watch: Callable[[], str | None] = _unknown

    def died(self) -> str | None:
        """None while the server lives, or when that can't be known; else how it ended."""
        return self.watch()
