"""One line that says what is being asked and how far the run is; nothing where nobody looks."""

import os
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from reports.escape import line
from reports.marks import OUTCOME
from reports.words import Outcome


class Watch:
    """The progress of a run on a terminal; silent in CI, in a pipe and on a dumb terminal."""

    def __init__(self, console: Console, total: int) -> None:
        silent = not console.is_terminal or console.is_dumb_terminal or "CI" in os.environ
        self._seen: Counter[str] = Counter()
        self._progress = Progress(
            TextColumn("{task.fields[so_far]}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=console,
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=silent,
        )
        self._task = self._progress.add_task("", total=total, so_far="")

    @property
    def live(self) -> bool:
        """Whether anything is shown, so that others may be silent."""
        return not self._progress.disable

    def doing(self, what: str) -> None:
        """Say what is going on: `starting llama.cpp`, `tools.parallel-calls wire stream`."""
        self._progress.update(self._task, description=line(what, 80), refresh=True)

    def done(self, outcome: Outcome, *, expected: bool = False) -> None:
        """Count what came of it; what was expected is no news."""
        self._seen["expected" if expected else OUTCOME[outcome]] += 1
        so_far = " ".join(f"{mark} {count}" for mark, count in self._seen.items())
        self._progress.update(self._task, advance=1, so_far=so_far)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
