"""Whether a question in SQL may be asked: one SELECT, of known tables and columns, of what is allowed by name.

Every node, field, function, operator and type that is not on a list is refused, so what nobody thought of is, too. It
is the first of two walls; the second is the role that runs the question, which may read what it was granted alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.pipelines.catalog import Catalog
from core.pipelines.grammar import GrammarError, Node, statements
from core.workloads.assistant.questions.allowed import SAID, WRITING
from core.workloads.assistant.questions.refused import QuestionRefused
from core.workloads.assistant.questions.walk import Walk

MAX_BYTES = 8 * 1024
"""Of a question."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that may be asked. sql: the one statement, without what stood around it. reads: columns by table."""

    sql: str
    reads: dict[str, list[str]]


def check(text: str, catalog: Catalog) -> Question:
    """The question that a text asks.

    Args:
        catalog: whose tables of the warehouse may be read; columns that may not are its denied ones.
    Raises QuestionRefused, with what, where and what is allowed.
    Cost: some milliseconds.
    """
    encoded = _encoded(text)
    try:
        found = statements(text)
        statement = _only(found)
        walk = Walk(catalog, encoded)
        walk.question(statement)
    except GrammarError as error:
        raise QuestionRefused("outside", error.reason[:200], error.position or None) from None
    except RecursionError:
        raise QuestionRefused("limits", "the question is nested too deep") from None
    return Question(_sql(found[0], encoded), {table: list(columns) for table, columns in walk.reads.items()})


def _encoded(text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise QuestionRefused("outside", "here is half a surrogate pair", error.start + 1) from None
    if len(encoded) > MAX_BYTES:
        raise QuestionRefused("limits", f"a question has at most {MAX_BYTES:,} bytes; this one has {len(encoded):,}")
    for at, letter in enumerate(text, 1):
        if letter < " " and letter not in "\t\n\r":
            raise QuestionRefused("outside", f"a question holds no control character; here is U+{ord(letter):04X}", at)
    return encoded


def _only(found: list[Node]) -> Node:
    if len(found) != 1:
        says = "a question is one SELECT" if not found else f"a question is one statement; here are {len(found)}"
        raise QuestionRefused("outside" if not found else "code", says)
    kind, inner = next(iter(found[0]["stmt"].items()))
    if kind != "SelectStmt":
        name = SAID.get(kind, kind.removesuffix("Stmt"))
        raise QuestionRefused(
            "destructive" if kind in WRITING else "code", f"a question is a SELECT, and {name} is none"
        )
    statement: Node = inner
    return statement


def _sql(found: Node, encoded: bytes) -> str:
    start = int(found.get("stmt_location", 0))
    length = int(found.get("stmt_len", 0))
    return encoded[start : start + length if length else None].decode().strip().rstrip(";").strip()
