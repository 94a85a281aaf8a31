"""A target in a file, so that other processes of this machine can use it too."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from servers.target import ServerLog, Target

#: The key never goes into a file; what watches the server can't.
_KEPT_BACK = {"api_key", "log", "watch"}


def to_json(target: Target) -> str:
    """All that others need to know of it, but for its key."""
    facts = {name: value for name, value in asdict(target).items() if name not in _KEPT_BACK}
    return json.dumps(facts | {"log": str(target.log.file)})


def from_json(text: str, api_key: str | None) -> Target:
    """The target, watched by the process id of its server alone."""
    facts = json.loads(text)
    target = Target(**facts | {"log": ServerLog(Path(facts["log"])), "api_key": api_key})
    target.watch = _watch(target)
    return target


def _watch(target: Target) -> Callable[[], str | None]:
    def watch() -> str | None:
        if target.pid is None or _runs(target.pid):
            return None
        return f"{target.title} ended; it last wrote:\n{target.log.tail()}"

    return watch


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
