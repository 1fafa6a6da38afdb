"""PostgreSQL's own grammar: from text to its tree. The one module that knows the parser."""

from __future__ import annotations

from typing import Any

import pgparse

Node = dict[str, Any]
"""One node of the grammar's tree, as its JSON form has it: `{kind: {field: value}}`, or the inner mapping."""


class GrammarError(Exception):
    """A text that is no SQL. position: the character where, from 1; 0 where the grammar names none."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason, position)
        self.reason = reason
        self.position = position


def statements(text: str) -> list[Node]:
    """The statements of a text, each with `stmt`, and `stmt_location` and `stmt_len` in bytes where they are not 0.

    Raises GrammarError: it is no SQL. RecursionError: nested some hundred deep.
    Cost: some 0.1 ms.
    """
    try:
        found: list[Node] = pgparse.parse(text)
    except pgparse.PGQueryError as error:
        raise GrammarError(str(error.message), int(error.position)) from None
    return found
