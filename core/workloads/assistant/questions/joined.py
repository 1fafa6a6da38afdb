"""Whether the relations of a FROM are tied to each other: those that are not multiply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import combinations, product
from typing import Any

from core.pipelines.grammar import Node
from core.workloads.assistant.questions.allowed import LINKING
from core.workloads.assistant.questions.refused import QuestionRefused
from core.workloads.assistant.questions.scopes import Seen

Ties = dict[frozenset[int], bool]
"""Pairs of relations, by their places in FROM, that are compared with one another; whether by equality."""

_MAX_APART = 2


def ties(condition: Node, items: Sequence[Seen]) -> Ties:
    """The pairs of relations that a condition ties to one another."""
    kind, inner = next(iter(condition.items()))
    if kind == "BoolExpr":
        found = [ties(one, items) for one in inner["args"]]
        match inner["boolop"]:
            case "AND_EXPR":
                return reduce(joined, found)
            case "OR_EXPR":
                return reduce(_in_both, found)
        return {}
    if kind == "SubLink":
        return dict.fromkeys(map(frozenset, combinations(met(condition, items), 2)), True)
    if kind == "A_Expr" and "lexpr" in inner and _links(inner):
        sides = product(met(inner["lexpr"], items), met(inner["rexpr"], items))
        return dict.fromkeys((frozenset(pair) for pair in sides if len(set(pair)) == 2), _is_equality(inner))
    return {}


def joined(left: Ties, right: Ties) -> Ties:
    """What holds where both conditions do."""
    return {pair: left.get(pair, False) or right.get(pair, False) for pair in left.keys() | right.keys()}


def _in_both(left: Ties, right: Ties) -> Ties:
    return {pair: left[pair] and right[pair] for pair in left.keys() & right.keys()}


def _links(inner: Node) -> bool:
    operator: str = inner["name"][-1]["String"]["sval"]
    return operator in LINKING or inner["kind"] in {"AEXPR_BETWEEN", "AEXPR_NOT_DISTINCT"}


def _is_equality(inner: Node) -> bool:
    operator: str = inner["name"][-1]["String"]["sval"]
    return operator == "=" and inner["kind"] != "AEXPR_BETWEEN"


def met(given: Any, items: Sequence[Seen]) -> list[int]:
    """Places in FROM of the relations whose columns stand somewhere in a part of the tree."""
    found: dict[int, None] = {}
    for names in _references(given):
        for at, seen in enumerate(items):
            if (names[-2] == seen.alias) if len(names) > 1 else (names[0] in seen.columns):
                found[at] = None
                break
    return list(found)


def _references(given: Any) -> Iterator[list[str]]:
    if isinstance(given, list):
        for one in given:
            yield from _references(one)
    elif isinstance(given, dict):
        for kind, inner in given.items():
            if kind == "ColumnRef":
                yield [one["String"]["sval"] if "String" in one else "*" for one in inner["fields"]]
            else:
                yield from _references(inner)


def require_tied(items: Sequence[Seen], tied: Ties, at: int) -> None:
    """Raise QuestionRefused where the rows of one relation meet those of another without a condition.

    Relations of one row, or of as many as are written down, may; of one FROM two groups of which one has few rows, too.
    By comparisons other than equality at most two are tied.
    """
    groups = _groups(items, tied)
    by_equality = _groups(items, (pair for pair, equal in tied.items() if equal))
    many = [group for group in groups if any(items[place].size == "many" for place in group)]
    if len(many) > 1 or len(groups) > _MAX_APART or len(by_equality) > _MAX_APART:
        loose = items[min((many or groups or by_equality)[-1])]
        name = loose.alias or "a subquery"
        raise QuestionRefused(
            "limits", f"nothing says which rows of {name} belong to those of the other tables", at or None
        )


def _groups(items: Sequence[Seen], tied: Iterable[frozenset[int]]) -> list[set[int]]:
    """Places of relations that hang together, without those of one row."""
    groups: list[set[int]] = [{place} for place in range(len(items))]
    for pair in tied:
        meeting = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [set().union(*meeting)]
    return [group for group in groups if any(items[place].size != "one" for place in group)]
