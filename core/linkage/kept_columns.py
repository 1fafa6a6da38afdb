"""Columns of the input that are given back beside the answer."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from core.errors import SchemaError
from core.intake.columns import EVERY
from core.intake.source import Source

_INPUT = "_input"


def require_kept(wanted: Sequence[str], sources: Sequence[Source]) -> None:
    """Refuse a column that no file has. Raises SchemaError: names it."""
    there = {name for source in sources for name in (*source.kept, source.id_column)}
    missing = [name for name in wanted if name != EVERY and name not in there]
    if missing:
        files = " or ".join(str(source.path) for source in sources)
        raise SchemaError(
            f"`with_columns`: there is no column {', '.join(missing)} in {files}",
            column=missing[0],
            expected=list(wanted),
            got=sorted(there),
            fields=("with_columns",),
        )


def with_kept(members: pl.LazyFrame, sources: Sequence[Source]) -> pl.LazyFrame:
    """Put the kept columns of all records beside their entities.

    A file that lacks a column of another one gives nulls. A column that is called like one of the answer's own gets
    `_input` behind its name.

    Args:
        members: one row a record, the sources' rows in order.
    """
    names = list(dict.fromkeys(name for source in sources for name in source.kept))
    if not names:
        return members
    absent = pl.lit(None, pl.String)
    scans = [
        source.scan_kept().select(pl.col(name) if name in source.kept else absent.alias(name) for name in names)
        if source.kept
        else pl.LazyFrame({name: pl.Series([None], dtype=pl.String).new_from_index(0, source.rows) for name in names})
        for source in sources
    ]
    taken = set(members.collect_schema().names())
    kept = pl.concat(scans)
    renamed = {}
    for name in names:
        free = name
        while free in taken:
            free += _INPUT
        taken.add(free)
        renamed[name] = free
    return pl.concat([members, kept.rename(renamed)], how="horizontal")
