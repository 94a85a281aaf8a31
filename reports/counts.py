"""How many checks ran and what came of them; a check counts once a layer and mode."""

from collections import Counter
from collections.abc import Iterable

from reports.cells import Cell
from reports.words import Layer, Mode, Outcome

PLACES = tuple((layer, mode) for layer in Layer for mode in Mode)


def outcomes(cells: Iterable[Cell], layer: Layer, mode: Mode) -> Counter[Outcome]:
    """The outcomes of one layer and mode over those cells that have it."""
    found = (cell.outcome(layer, mode) for cell in cells)
    return Counter(outcome for outcome in found if outcome)


def ran(counted: Counter[Outcome]) -> str:
    """`14 of 16` ran; `–` where there was nothing to run."""
    total = counted.total()
    return f"{total - counted[Outcome.NOT_RUN]} of {total}" if total else "–"
