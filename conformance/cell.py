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
