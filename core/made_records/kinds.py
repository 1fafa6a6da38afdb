"""The one list of kinds of made records, and how to make some: `headrace generate` and `headrace bench match` read it.

Names of modules, so that a list of the kinds loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

ROWS_LEAST, ROWS_MOST = 20, 20_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of records.

    says: what it is, in a line. maker: "module:function" below `core.made_records`. files: names of what it writes, one
    for a single table. shared: files (from 0) whose records may be several of one entity. text: columns that hold what
    a search by words reads. columns: all but id and entity_id.
    """

    name: str
    says: str
    maker: str
    columns: tuple[str, ...]
    text: tuple[str, ...]
    files: tuple[str, ...] = ("",)
    shared: tuple[int, ...] = ()


_TWO = ("a", "b")
_SUPPLIER = ("name", "street", "city", "zip", "country", "phone", "email", "vat_id")
_SITE = ("name", "street", "city", "zip", "phone")
_PRODUCT = ("title", "brand", "price")
_PAPER = ("title", "authors", "venue", "year")
_SONG = ("title", "artist", "album", "number", "length", "year", "language")
_NAME = ("name",)
_ALL = (
    Kind("suppliers", "suppliers of a region: branches, namesakes, trading names",
         "organisations.suppliers:suppliers", _SUPPLIER, ("name", "street", "city", "zip", "phone")),
    Kind("sites", "shops and offices as directories list them: chains, arcades",
         "organisations.suppliers:sites", _SITE, _SITE),
    Kind("catalogues-electronics", "two shops of electronics: model codes, variants",
         "catalogues.shops:electronics", _PRODUCT, ("title",), _TWO),
    Kind("catalogues-software", "two shops of software: versions, editions, licences",
         "catalogues.shops:software", _PRODUCT, ("title", "brand"), _TWO),
    Kind("catalogues-shop", "a small shop against a large one",
         "catalogues.shops:small_shop", _PRODUCT, ("title",), _TWO),
    Kind("papers-clean", "two bibliographies that people keep",
         "papers.bibliography:clean", _PAPER, ("title", "authors"), _TWO),
    Kind("papers-scraped", "a bibliography, and what was scraped: several copies of a paper",
         "papers.bibliography:scraped", _PAPER, ("title", "authors"), _TWO, (1,)),
    Kind("songs", "songs as four sources list them",
         "songs:songs", _SONG, _SONG[:3], ("a", "b", "c", "d")),
    Kind("master", "a master list of organisations, and mentions of them: names alone",
         "organisations.lists:master", _NAME, _NAME, _TWO, (1,)),
    Kind("names-people", "two lists of people: names alone, in many spellings and scripts",
         "people:names_people", _NAME, _NAME, _TWO),
    Kind("companies", "two lists of companies: names alone",
         "organisations.lists:companies", _NAME, _NAME, _TWO),
    Kind("spellings", "companies in hundreds of spellings each, in one column",
         "organisations.lists:spellings", _NAME, _NAME),
    Kind("ledgers", "lines of two ledgers: amount, day and what came through of the reference",
         "ledgers:ledgers", ("date", "amount", "text"), ("amount", "text"), _TWO),
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises ConfigError: there is none."""
    if name not in KINDS:
        raise ConfigError(
            f"there is no kind {name!r} of made records; there are {', '.join(KINDS)}", option="kind", got=name
        )
    return KINDS[name]


def make_records(name: str, rows: int, seed: int) -> tuple[pl.DataFrame, ...]:
    """The files of a kind: id, its columns and entity_id, all text. The same arguments make the same frames.

    Args:
        rows: of all files together, 20 to 20 million.
    Raises:
        ConfigError: no such kind, or rows out of range.
    Cost: 10 to 35 us a row, and some 2 kB of memory.
    """
    import polars as pl

    from core.made_records.rates import drawn_rates, draws_of

    kind = kind_of(name)
    if not ROWS_LEAST <= rows <= ROWS_MOST:
        raise ConfigError(f"--rows must be {ROWS_LEAST} to {ROWS_MOST:,}, not {rows:,}", option="rows", got=rows)
    module, _, function = kind.maker.partition(":")
    make: Callable[..., Any] = getattr(import_module(f"core.made_records.{module}"), function)
    records, frame = make(rows, drawn_rates(name, seed), draws_of(name, seed))
    entity = "E" + pl.Series("entity_id", records.entity).cast(pl.String).str.zfill(8)
    found = []
    for number, letter in enumerate(kind.files):
        at = pl.Series(records.source == number).arg_true()
        one = frame[at].select(pl.col(kind.columns).cast(pl.String))
        ids = letter.upper() + pl.Series("id", range(1, len(one) + 1)).cast(pl.String).str.zfill(7)
        found.append(pl.DataFrame([ids.alias("id"), *one, entity.gather(at).alias("entity_id")]))
    return tuple(found)
