"""Which checks run: an expression over ids, chapters and levels, such as `tools.* and MUST`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import TypeAlias

from reports import Check
from servers import ServersError

Chosen: TypeAlias = Callable[[Check], bool]

_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")
_OPERATORS = {"and", "or", "not", "(", ")"}


class InvalidSelection(ServersError):
    """An expression that can't be read, or that chooses nothing."""

    def __init__(self, expression: str, problem: str) -> None:
        super().__init__(
            f"--checks {expression!r}: {problem}",
            "for example: 'tools.* and MUST', 'not errors.*'; pytest --list-checks lists the ids",
        )


def selection(expression: str) -> Chosen:
    """A predicate for rows of the catalogue.

    Words are ids, patterns over ids (`tools.*`), or levels; `and`, `or`, `not` and parentheses
    join them, `not` binding closest. Raises `InvalidSelection`.
    """
    tokens = [*_TOKEN.findall(expression)]
    rest = iter([*tokens, ""])
    parser = _Parser(expression, rest)
    chosen = parser.any_of()
    if parser.token:
        raise InvalidSelection(expression, f"{parser.token!r} was not expected")
    return chosen


class _Parser:
    """Recursive descent, one token ahead; "" stands for the end."""

    def __init__(self, expression: str, tokens: Iterator[str]) -> None:
        self._expression = expression
        self._tokens = tokens
        self.token = next(tokens)

    def any_of(self) -> Chosen:
        left = self._all_of()
        while self._took("or"):
            left = _either(left, self._all_of())
        return left

    def _all_of(self) -> Chosen:
        left = self._one()
        while self._took("and"):
            left = _both(left, self._one())
        return left

    def _one(self) -> Chosen:
        if self._took("not"):
            return _opposite(self._one())
        if self._took("("):
            inside = self.any_of()
            if not self._took(")"):
                raise InvalidSelection(self._expression, "a closing parenthesis is missing")
            return inside
        return self._word()

    def _word(self) -> Chosen:
        word = self.token
        if not word or word in _OPERATORS:
            raise InvalidSelection(self._expression, f"a word is missing before {word!r}")
        self.token = next(self._tokens)
        return lambda row: row.level == word or fnmatchcase(row.id, word)

    def _took(self, token: str) -> bool:
        if self.token != token:
            return False
        self.token = next(self._tokens)
        return True


def _either(left: Chosen, right: Chosen) -> Chosen:
    return lambda row: left(row) or right(row)


def _both(left: Chosen, right: Chosen) -> Chosen:
    return lambda row: left(row) and right(row)


def _opposite(inside: Chosen) -> Chosen:
    return lambda row: not inside(row)
