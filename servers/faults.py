"""Faults that the tap can put into what a server sends.

Each is plain data; `apply` turns the steps that a relay would take into those with the fault.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from servers.errors import InvalidFault


@dataclass(frozen=True)
class Pause:
    """Wait before the next bytes."""

    seconds: float


@dataclass(frozen=True)
class End:
    """End the connection here, with a reset or as an orderly close; `why` goes on record."""

    why: str
    reset: bool = False


FLUSH = b""
"""Not bytes but a moment: the server has fallen silent, so nothing may be held back."""

Step = bytes | Pause | End
Steps = AsyncIterator[Step]
BETWEEN_PIECES = 0.0002


@dataclass(frozen=True)
class Cut:
    """Close the connection, as if the server had, after so many response bytes."""

    after_bytes: int

    def apply(self, steps: Steps) -> Steps:
        """Let the first bytes through, then end."""
        return _end_after(self.after_bytes, steps, End("cut by the tap"))


@dataclass(frozen=True)
class Reset:
    """Reset the connection (a real RST) after so many response bytes."""

    after_bytes: int

    def apply(self, steps: Steps) -> Steps:
        """Let the first bytes through, then end."""
        return _end_after(self.after_bytes, steps, End("reset by the tap", reset=True))


@dataclass(frozen=True)
class Delay:
    """Hold the first response byte of a connection back."""

    seconds: float

    async def apply(self, steps: Steps) -> Steps:
        """Wait once, when there is something to hold back."""
        waited = False
        async for step in steps:
            if step != FLUSH and not waited:
                yield Pause(self.seconds)
                waited = True
            yield step


@dataclass(frozen=True)
class Split:
    """Send a response in pieces of at most so many bytes, each in a packet of its own."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidFault(f"can't split into pieces of {self.size} bytes", "split:1 or more")

    async def apply(self, steps: Steps) -> Steps:
        """Cut each run of bytes up; the pause keeps the kernel from joining the pieces."""
        async for step in steps:
            if isinstance(step, bytes) and step != FLUSH:
                for start in range(0, len(step), self.size):
                    yield step[start : start + self.size]
                    yield Pause(BETWEEN_PIECES)
            else:
                yield step


@dataclass(frozen=True)
class Replace:
    """Replace bytes wherever they occur; `new` is padded with spaces to keep every length true."""

    old: bytes
    new: bytes

    def __post_init__(self) -> None:
        if not self.old:
            raise InvalidFault("nothing to replace was given", "replace:OLD=>NEW")
        if len(self.new) > len(self.old):
            raise InvalidFault(
                f"{self.new!r} is longer than {self.old!r}",
                "the replacement must not be longer, or Content-Length would lie",
            )

    async def apply(self, steps: Steps) -> Steps:
        """Find `old` across reads: what may be its beginning waits for more, or for a silence."""
        held = b""
        async for step in steps:
            if isinstance(step, bytes) and step != FLUSH:
                data, held = self._replace(held + step)
                if data:
                    yield data
                continue
            if held:
                yield held
                held = b""
            yield step

    def _replace(self, data: bytes) -> tuple[bytes, bytes]:
        """What can go out, and the end of `data` that may be the beginning of `old`."""
        ends = [match.end() for match in re.finditer(re.escape(self.old), data)]
        keep = self._beginning_at_end_of(data[ends[-1] if ends else 0 :])
        data = data.replace(self.old, self.new.ljust(len(self.old)))
        return data[: len(data) - keep], data[len(data) - keep :]

    def _beginning_at_end_of(self, data: bytes) -> int:
        longest = min(len(data), len(self.old) - 1)
        return next((n for n in range(longest, 0, -1) if data.endswith(self.old[:n])), 0)


Fault = Cut | Reset | Delay | Split | Replace


async def _end_after(after_bytes: int, steps: Steps, end: End) -> Steps:
    left = after_bytes
    async for step in steps:
        if not isinstance(step, bytes) or step == FLUSH:
            yield step
            continue
        yield step[:left]
        left -= len(step)
        if left <= 0:
            yield end
            return


FORMS = "cut:BYTES, reset:BYTES, delay:SECONDS, split:SIZE or replace:OLD=>NEW"
_WITH_FIGURE: dict[str, Callable[[str], Fault]] = {
    "cut": lambda text: Cut(int(text)),
    "reset": lambda text: Reset(int(text)),
    "delay": lambda text: Delay(float(text)),
    "split": lambda text: Split(int(text)),
}


def parse_fault(text: str) -> Fault:
    """A fault as a command line gives it, `cut:200`; InvalidFault tells the forms there are."""
    kind, _, rest = text.partition(":")
    if kind == "replace" and "=>" in rest:
        old, _, new = rest.partition("=>")
        return Replace(old.encode(), new.encode())
    try:
        return _WITH_FIGURE[kind](rest)
    except (KeyError, ValueError):
        raise InvalidFault(f"{text!r} is no fault", f"a fault is {FORMS}") from None
