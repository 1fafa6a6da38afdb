"""Which records leave a finished run: those to be removed, and the former states of changed ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from core.errors import InputError
from core.intake.columns import plain
from core.intake.file_kind import is_columnar, one_kind
from core.intake.known_names.linked_columns import ID_NAMES
from core.intake.source import Source
from core.intake.tables.part_files import part_files
from core.intake.whole_columns import read_table

if TYPE_CHECKING:
    from core.linkage.history.base_run import Base
    from core.linkage.request import MatchRequest


@dataclass(frozen=True, slots=True)
class Leaving:
    """Ids of the records that leave: removed ones, and those whose place a record of the new file takes."""

    removed: pl.Series
    changed: pl.Series
    notices: tuple[str, ...]

    @property
    def ids(self) -> pl.Series:
        """All of them, each once."""
        return pl.concat([self.removed, self.changed])


def leaving_of(request: MatchRequest, base: Base, known: pl.Series, new: Source | None) -> Leaving:
    """Which records of a finished run leave it.

    Args:
        known: ids of its records. new: what is added to it, if anything.
    Raises:
        InputError: a new record has the id of an old one, and nothing says that it replaces that; or an id is removed
            and added as well.
    """
    added = pl.Series("id", [], dtype=pl.String) if new is None else new.ids().cast(pl.String).alias("id")
    again = _both(known, added)
    if len(again) and request.changed != "replace":
        assert new is not None, "otherwise nothing is added"
        raise InputError(
            f"{new.path}: {len(again):,} record ids are in {base.out} already, {again[0]!r} for one; give new records "
            "only, or say with `changed` replace that they take the place of the old ones",
            path=str(new.path),
            id=again[0],
            fields=("changed",),
        )
    removed, notices = _removed(request, base, known)
    torn = _both(removed, added)
    if len(torn):
        raise InputError(
            f"{request.removed}: {len(torn):,} ids are removed and stand in {request.input} as well, {torn[0]!r} for "
            "one; leave them out of one of the two",
            path=str(request.removed),
            id=torn[0],
        )
    if len(again):
        notices.append(f"{len(again):,} records take the place of older ones with their ids")
    return Leaving(removed, again, tuple(notices))


def _both(known: pl.Series, some: pl.Series) -> pl.Series:
    """The ids of the first that the second has too, in the order of the first."""
    return known.to_frame("id").join(some.to_frame("id"), on="id", how="semi", maintain_order="left")["id"]


def _removed(request: MatchRequest, base: Base, known: pl.Series) -> tuple[pl.Series, list[str]]:
    """The records that a file of ids names, and what is to be said of others that it names.

    Notices are kept with the run, so they count ids and name none: an id may tell who was erased.
    """
    if request.removed is None:
        return known.clear(), []
    asked, where = _ids_in(Path(request.removed), request.id_column, known), Path(request.removed).name
    distinct = asked.unique()
    found = _both(known, distinct)
    notices = [f"{where}: {len(found):,} records are removed"]
    if n_again := len(asked) - len(distinct):
        notices.append(f"{where}: {n_again:,} ids stand there again; a record is removed once")
    if n_strange := len(distinct) - len(found):
        notices.append(
            f"{where}: {n_strange:,} ids are of no record of {base.out.name}, never there or removed before; passed "
            "over"
        )
    return found, notices


def _ids_in(path: Path, id_column: str, known: pl.Series) -> pl.Series:
    """The ids that a file lists: in its only column, with a header or none, or in the column that names the records.

    Raises:
        InputError: there is no such column, or no id in it; and as `read_table`.
    """
    table = read_table(path)
    column = table.columns[0] if table.width == 1 else id_column
    if column not in table.columns:
        raise InputError(
            f"{path}: no column {id_column!r}; give ids in a column of that name, or in the only one; there are: "
            f"{', '.join(table.columns)}",
            path=str(path),
            column=id_column,
            got=table.columns,
            fields=("removed",),
        )
    ids = _without_point_zero(table[column].drop_nulls().alias("id"), known)
    if table.width == 1 and _is_id(column, id_column, path, known):
        ids = pl.concat([pl.Series("id", [column]), ids])
    if not len(ids):
        raise InputError(f"{path}: no id stands in column {column!r} (`removed`)", path=str(path), column=column)
    return ids


def _without_point_zero(ids: pl.Series, known: pl.Series) -> pl.Series:
    """Whole numbers as the records have them, where a tool wrote 7 as 7.0."""
    short = ids.str.replace(r"^(\d+)\.0+$", "$1")
    return short.zip_with(~ids.is_in(known.implode()) & short.is_in(known.implode()), ids)


def _is_id(header: str, id_column: str, path: Path, known: pl.Series) -> bool:
    """Whether what stands where a header would be is the first id: it is one of a record, or called as no column is."""
    if is_columnar(one_kind(part_files((path,)))):
        return False
    return bool((known == header).any()) or (header != id_column and plain(header) not in ID_NAMES)
