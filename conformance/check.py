"""How a test function becomes a check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

Body: TypeAlias = Callable[..., Awaitable[None]]


def check(check_id: str) -> Callable[[Body], Body]:
    """Make `body(ask)` the check `check_id` of the catalogue, which says where and how it runs."""

    def mark(body: Body) -> Body:
        marked: Any = pytest.mark.check(check_id)(body)
        return marked  # type: ignore[no-any-return]

    return mark
