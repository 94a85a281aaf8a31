"""One check on one layer in one mode."""

from __future__ import annotations

from dataclasses import dataclass

from reports import Layer, Mode


@dataclass(frozen=True)
class Cell:
    """Which check runs, and how."""

    check: str
    layer: Layer
    mode: Mode
    #: Which one, where a run asks several times.
    attempt: int = 1

    def __str__(self) -> str:
        again = f"-{self.attempt}" if self.attempt > 1 else ""
        return f"{self.layer}-{self.mode}{again}"
