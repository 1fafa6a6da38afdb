"""Which relations a place of a query sees, and what a name means there: PostgreSQL's rules, refused where in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.pipelines.refusals import instead
from core.workloads.assistant.questions.refused import QuestionRefused

Size = Literal["one", "few", "many"]
"""Rows of a relation: one, or as many as a question writes down; as after a GROUP BY; as there are."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A relation in FROM.

    alias: None of a subquery without a name. schema: of a table without an alias, which its schema may stand before.
    denied: columns that may not be read. table: its name in the catalog; None of what the query makes.
    weight: how many times longer than a column of a table a text of it may be.
    """

    alias: str | None
    columns: tuple[str, ...]
    denied: frozenset[str] = frozenset()
    schema: str | None = None
    table: str | None = None
    weight: float = 1.0
    size: Size = "many"

    def named(self, alias: str | None, columns: Sequence[str] = ()) -> Seen:
        """The same under another name; the first columns, too."""
        return replace(self, alias=alias, columns=(*columns, *self.columns[len(columns) :]), schema=None)


Reads = dict[str, dict[str, None]]
"""Columns read by table, in the order in which they were met."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one place sees: relations of its own query, then those of the queries around it."""

    items: Sequence[Seen] = ()
    parent: Scope | None = None
    ctes: Mapping[str, Seen] = field(default_factory=dict)

    def levels(self) -> Iterator[Sequence[Seen]]:
        """The relations of this query, then of those around it."""
        at: Scope | None = self
        while at is not None:
            yield at.items
            at = at.parent

    def inner(self) -> Scope:
        """That of a query within this place, before its FROM."""
        return Scope((), self, self.ctes)

    def outer(self) -> Scope:
        """The place that the query stands in, with the names that its WITH added."""
        parent = self.parent or Scope()
        return Scope(parent.items, parent.parent, self.ctes)

    def with_items(self, items: Sequence[Seen]) -> Scope:
        """The same place once FROM is known."""
        return replace(self, items=items)

    def with_ctes(self, ctes: Mapping[str, Seen]) -> Scope:
        """The same place once WITH is known."""
        return replace(self, ctes=ctes)

    def column(self, name: str, at: int) -> tuple[Seen, str] | Seen:
        """What an unqualified name means: a column, or a whole row by its relation's name.

        Raises QuestionRefused: no such column, or one that may not be read, of whatever relation in sight.
        """
        for items in self.levels():
            for one in items:
                if name in one.denied:
                    raise denied(one, name, at)
        for items in self.levels():
            for one in items:
                if name in one.columns:
                    return one, name
        for items in self.levels():
            for one in items:
                if name == one.alias:
                    return one
        known = dict.fromkeys(column for items in self.levels() for one in items for column in one.columns)
        raise QuestionRefused("outside", f"no column {name}{instead(name, known)}", at)

    def relation(self, alias: str, schema: str | None, at: int) -> Seen:
        """The relation that stands before a point, of the innermost query that has one of that name."""
        for items in self.levels():
            for one in items:
                if one.alias == alias and (schema is None or one.schema == schema):
                    return one
        name = f"{schema}.{alias}" if schema else alias
        raise QuestionRefused("outside", f"{name} is not in FROM here", at)


def denied(of: Seen, name: str, at: int | None = None) -> QuestionRefused:
    """The refusal of a column that may not be read."""
    return QuestionRefused("forbidden", f"{name} of {of.table} may not be read, compared or sorted by", at)


def require_whole(of: Seen, what: str, at: int) -> None:
    """Raise QuestionRefused for all columns at once of a relation that has a column which may not be read."""
    if of.denied:
        listed = ", ".join(of.columns)
        raise QuestionRefused(
            "forbidden", f"{what} holds columns of {of.table} that may not be read; name those wanted: {listed}", at
        )
