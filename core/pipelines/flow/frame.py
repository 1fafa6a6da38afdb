"""What is known of rows between two steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from core.pipelines.expressions.parsing import ExpressionError, parse
from core.pipelines.expressions.syntax import Expression
from core.pipelines.expressions.typing import Scope, condition_type, type_of
from core.pipelines.language.spec import Incremental
from core.pipelines.refusals import Refusal, instead
from core.pipelines.types import UNKNOWN, ColumnType

Origin: TypeAlias = tuple[str, str]
"""A source and a column of it."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Rows of a source that is read in part."""

    source: str
    incremental: Incremental


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows between two steps.

    columns: types by name, in order. origins: of columns that are a source's own values, unchanged, where from.
    keys: sets of columns known to be unique. partial: the sources of which these are not all rows.
    is_open: a refusal before has left the columns unknown, so nothing more is said of names.
    keys_unknown: nobody knows the keys, as of a file.
    """

    columns: Mapping[str, ColumnType]
    origins: Mapping[str, Origin] = field(default_factory=dict)
    keys: frozenset[frozenset[str]] = frozenset()
    partial: tuple[Partial, ...] = ()
    is_open: bool = False
    keys_unknown: bool = False

    def keep(self, names: Iterable[str]) -> Frame:
        """These columns alone, in this order; a key that loses a column is none."""
        kept = {name: self.columns.get(name, UNKNOWN) for name in names}
        origins = {name: self.origins[name] for name in kept if name in self.origins}
        return replace(
            self, columns=kept, origins=origins, keys=frozenset(key for key in self.keys if key <= kept.keys())
        )

    def with_columns(self, added: Mapping[str, ColumnType], origins: Mapping[str, Origin] | None = None) -> Frame:
        """Columns put behind, or in the place of those of the same name."""
        kept = {name: origin for name, origin in self.origins.items() if name not in added}
        keys = frozenset(key for key in self.keys if not key & added.keys())
        return replace(self, columns={**self.columns, **added}, origins={**kept, **(origins or {})}, keys=keys)

    def is_unique(self, names: Iterable[str]) -> bool:
        """Whether a row is known to be the only one with its values of these columns."""
        given = frozenset(names)
        return any(key <= given for key in self.keys)


class Report:
    """Gathers refusals, and reads what a step names so that one mistake is said once."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    def refuse(self, path: str, reason: str, position: int | None = None) -> None:
        """Keep a refusal, once."""
        one = Refusal(path, reason, position)
        if one not in self.refusals:
            self.refusals.append(one)

    def known(self, path: str, names: Iterable[str], frame: Frame) -> bool:
        """Whether all are columns; says which is not."""
        missing = [name for name in names if name not in frame.columns]
        if frame.is_open:
            return True
        for name in missing:
            self.refuse(path, f"there is no column {name}{instead(name, frame.columns)}")
        return not missing

    def expression(
        self, path: str, text: str, frame: Frame, scope: Scope | None = None
    ) -> tuple[Expression | None, ColumnType]:
        """An expression and its type; (None, unknown) where it is refused, said here."""
        try:
            node = parse(text)
            return node, UNKNOWN if frame.is_open else type_of(node, scope or Scope(frame.columns))
        except ExpressionError as error:
            self.refuse(path, error.message, error.facts["position"])
            return None, UNKNOWN

    def condition(self, path: str, text: str, frame: Frame, scope: Scope | None = None, what: str = "where") -> None:
        """Refuse what is no condition of these rows."""
        try:
            node = parse(text)
            if not frame.is_open:
                condition_type(node, scope or Scope(frame.columns), what)
        except ExpressionError as error:
            self.refuse(path, error.message, error.facts["position"])
