"""How a test function becomes a check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

Body: TypeAlias = Callable[..., Awaitable[None]]

# What nobody awaited comes up when memory is next tidied, in whichever check runs then: a warning
# at the end of the run, and no verdict on that check.
_FOUND_LATE = pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")


def check(check_id: str) -> Callable[[Body], Body]:
    """Make `body(ask)` the check `check_id` of the catalogue, which says where and how it runs."""

    def mark(body: Body) -> Body:
        marked: Any = _FOUND_LATE(pytest.mark.check(check_id)(body))
        return marked  # type: ignore[no-any-return]

    return mark
