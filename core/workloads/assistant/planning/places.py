"""What a request may mean: the tables, files, endpoints and pipelines of a catalog, as words find them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.pipelines.catalog import WAREHOUSE, Catalog, Relation, read_catalog
from core.pipelines.types import ColumnType

PlaceKind = Literal["table", "file", "endpoint"]
_OPTIONS: Final = ("separator", "decimal", "thousands", "encoding", "sheet", "header_row", "records")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Somewhere rows are read from or written to, one object each. format: of a file. hidden: unseen columns."""

    kind: PlaceKind
    at: str
    name: str
    columns: Mapping[str, ColumnType]
    relation: Relation
    format: str = ""
    options: Mapping[str, Any] | None = None
    hidden: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """As the catalog writes it: a table of the warehouse bare, all else behind its block."""
        return self.name if self.kind == "table" and self.at == WAREHOUSE else f"{self.at}:{self.name}"

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key, () where none is known."""
        return self.relation.keys[0] if self.relation.keys else ()

    @property
    def in_warehouse(self) -> bool:
        """A table of the queue's own database."""
        return self.kind == "table" and self.at == WAREHOUSE

    def source(self) -> dict[str, Any]:
        """What a spec says of it as a source."""
        if self.kind == "table":
            elsewhere = {} if self.at == WAREHOUSE else {"at": self.at}
            return {"kind": "table", **elsewhere, "table": self.name}
        kind = "http" if self.kind == "endpoint" else self.format
        return {"kind": kind, "at": self.at, "path": self.name, **(self.options or {})}


@dataclass(frozen=True, slots=True)
class Known:
    """A catalog as planning sees it. specs: approved pipelines by name."""

    catalog: Catalog
    places: tuple[Place, ...]
    specs: Mapping[str, Mapping[str, Any]]

    def at(self, block: str, name: str) -> Place | None:
        """The place of that name in a block."""
        return next((one for one in self.places if one.at == block and one.name == name), None)

    def tables(self) -> list[Place]:
        """Those of the warehouse that may be read."""
        return [one for one in self.places if one.in_warehouse and not one.relation.denied]


def known_of(given: Mapping[str, Any]) -> Known:
    """From what a catalog file holds. Raises ConfigError, as `read_catalog`."""
    catalog = read_catalog(given)
    places = []
    for kind, found in (("table", catalog.tables), ("file", catalog.files), ("endpoint", catalog.endpoints)):
        facts = given.get(f"{kind}s") or {}
        for (at, name), relation in found.items():
            said = facts.get(name) or facts.get(f"{at}:{name}") or {}
            places.append(_place(kind, (at, name), relation, said))  # type: ignore[arg-type]
    specs = given.get("pipelines") or {}
    return Known(catalog, tuple(places), specs if isinstance(specs, Mapping) else {})


def known_here(catalog: Catalog, specs: Mapping[str, Mapping[str, Any]]) -> Known:
    """From what connections hold."""
    places = [_place("table", place, relation, {}) for place, relation in catalog.tables.items()]
    return Known(catalog, tuple(places), specs)


def _place(kind: PlaceKind, place: tuple[str, str], relation: Relation, said: Mapping[str, Any]) -> Place:
    options = {word: said[word] for word in _OPTIONS if word in said}
    hidden = tuple(str(name) for name in said.get("denied_columns", ()))
    return Place(kind, place[0], place[1], relation.columns, relation, str(said.get("kind", "")), options, hidden)


def words_of(name: str) -> list[str]:
    """The words of a name: `order_items` and `orderItems` are order, items."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word and not word.isdigit()]


def stem(word: str) -> str:
    """A noun without its plural: stories, boxes, orders; short words stay."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
