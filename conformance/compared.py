"""Both sides of a comparison that failed, as a report shows them: what was seen, and expected."""

from __future__ import annotations

from pprint import pformat

#: Of these one is right, or none; anything else that is looked into is itself what was seen.
_ALTERNATIVES = (set, frozenset, tuple, range)


def sides(op: str, left: object, right: object) -> tuple[str, str]:
    """What was seen and what was expected, where `assert left op right` did not hold."""
    match op:
        case "==":
            return _shown(left), _shown(right)
        case "in" | "not in":
            return _looked_into(op, left, right)
        case _:
            return _shown(left), f"{op} {_shown(right)}"


def _looked_into(op: str, left: object, right: object) -> tuple[str, str]:
    if isinstance(right, _ALTERNATIVES):
        return _shown(left), _shown(right) if op == "in" else f"{op} {_shown(right)}"
    wanted = "contains" if op == "in" else "does not contain"
    return _shown(right), f"{wanted} {_shown(left)}"


def _shown(value: object) -> str:
    return pformat(value, width=80, sort_dicts=False)
