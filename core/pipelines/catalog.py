"""The form of a catalog: what a pipeline may read and write, as a file says it or as connections find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from core.errors import ConfigError, InputError
from core.pipelines.refusals import instead
from core.pipelines.types import ColumnType, parse_type

BlockKind = Literal["postgres", "folder", "object_store", "http"]

WAREHOUSE: Final = "warehouse"
"""The queue's own database: the one place where rows and acknowledgement share a transaction."""

_SECTIONS: Final = ("blocks", "tables", "files", "endpoints", "pipelines")


@dataclass(frozen=True, slots=True)
class Block:
    """A named connection. writable_schemas: of a database; writable: of a folder or object store."""

    name: str
    kind: BlockKind
    writable_schemas: tuple[str, ...] = ()
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, a kind of file or an endpoint.

    keys: sets of columns that are unique, the primary one first. required: columns that must be made. denied: it may
    not be read or written; columns that may not are no columns of it, but denied_columns. params: of an endpoint,
    None if nobody said them.
    """

    name: str
    columns: Mapping[str, ColumnType]
    keys: tuple[tuple[str, ...], ...] = ()
    required: tuple[str, ...] = ()
    denied: bool = False
    params: tuple[str, ...] | None = None
    denied_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Relations by (block, table, path pattern or path)."""

    blocks: Mapping[str, Block] = field(default_factory=dict)
    tables: Mapping[tuple[str, str], Relation] = field(default_factory=dict)
    files: Mapping[tuple[str, str], Relation] = field(default_factory=dict)
    endpoints: Mapping[tuple[str, str], Relation] = field(default_factory=dict)
    pipelines: tuple[str, ...] = ()

    def file(self, block: str, path: str) -> Relation | None:
        """What is known of a path: of itself, else of a pattern that it falls under."""
        if found := self.files.get((block, path)):
            return found
        return next((one for (at, known), one in self.files.items() if at == block and fnmatchcase(path, known)), None)


def read_catalog(given: Mapping[str, Any]) -> Catalog:
    """A catalog from the mapping that a file holds.

    Raises ConfigError: a section, a kind of block or a type that there is not, or a relation without columns.
    """
    for name in given:
        if name not in _SECTIONS:
            raise ConfigError(f"the catalog has no section {name}{instead(str(name), _SECTIONS)}")
    blocks = {name: _block(name, facts) for name, facts in _section(given, "blocks").items()}
    return Catalog(
        blocks,
        {_place(name): _relation(name, facts) for name, facts in _section(given, "tables").items()},
        {_place(name): _relation(name, facts) for name, facts in _section(given, "files").items()},
        {_place(name): _relation(name, facts) for name, facts in _section(given, "endpoints").items()},
        tuple(_section(given, "pipelines")),
    )


def _section(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name) or {}
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name} of the catalog is a mapping of names")
    return found


def _block(name: str, facts: Mapping[str, Any]) -> Block:
    kinds = ("postgres", "folder", "object_store", "http")
    kind = facts.get("kind")
    if kind not in kinds:
        raise ConfigError(f"blocks.{name} of the catalog: kind is one of {', '.join(kinds)}")
    return Block(name, kind, tuple(facts.get("writable_schemas", ())), bool(facts.get("writable", False)))


def _place(name: str) -> tuple[str, str]:
    at, colon, rest = name.partition(":")
    return (at, rest) if colon else (WAREHOUSE, name)


def _relation(name: str, facts: Mapping[str, Any]) -> Relation:
    columns = facts.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise ConfigError(f"{name} of the catalog has no columns")
    denied_columns = set(facts.get("denied_columns", ()))
    try:
        types = {
            column: parse_type(str(written)) for column, written in columns.items() if column not in denied_columns
        }
    except InputError as error:
        raise ConfigError(f"{name} of the catalog: {error}") from None
    keys = [facts["key"]] if facts.get("key") else []
    params = facts.get("params")
    return Relation(
        name.partition(":")[2] or name,
        types,
        tuple(tuple(key) for key in [*keys, *facts.get("unique", ())]),
        tuple(facts.get("required", facts.get("key", ()))),
        bool(facts.get("denied", False)),
        None if params is None else tuple(params),
        tuple(map(str, facts.get("denied_columns", ()))),
    )
