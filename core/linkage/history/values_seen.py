"""Which values two records had when somebody looked at them: a short text that changes as soon as one of them does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from core.intake.source import Source
from core.matching.clustering.entity_ids import entity_ids
from core.matching.text.hashing import flat_bytes

SEEN = "seen"
_NAMESPACE, _CHARACTERS = "values seen", 13
_SCAN_ROWS = 250_000
_BETWEEN, _ABSENT = "\x1f", "\x1e"


def records_with(sources: Sequence[Source], ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
    """Records by id: `source`, `id` and some columns as text; an id that two sources have gives two rows.

    Cost: the input is read once.
    """
    wanted = ids.unique().to_frame("id")
    found = []
    for number, source in enumerate(sources):
        for lo in range(0, source.rows, _SCAN_ROWS):
            frame = source.read(lo, min(lo + _SCAN_ROWS, source.rows)).select("id", *columns)
            mine = frame.join(wanted, on="id", how="semi", maintain_order="left")
            found.append(mine.select(pl.lit(number, dtype=pl.UInt8).alias("source"), pl.all()))
    return pl.concat(found)


def versions(a: pl.DataFrame, b: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """What names the values of pairs of records.

    Args:
        a, b: (n,) records of each side, with the columns that count.
    Returns:
        (n,) String: `v` and 48 bits of a keyed hash of both texts, alike in every run.
    """
    sides = (side.select(pl.concat_str(pl.col(columns).fill_null(_ABSENT), separator=_BETWEEN)) for side in (a, b))
    left, right = (side.to_series() for side in sides)
    text = left + _BETWEEN + right
    named = entity_ids(np.arange(len(text), dtype=np.uint32), flat_bytes(text), _NAMESPACE)
    return ("v" + named.str.slice(0, _CHARACTERS)).alias(SEEN)


def rows_changed(decisions: pl.DataFrame, sources: Sequence[Source], columns: Sequence[str]) -> list[int]:
    """Rows of the file of decisions whose records had other values when they were looked at; rows without `seen` have
    nothing to tell.

    Args:
        decisions: `row`, id_a, id_b, `seen`, of one source of records.
    Cost: the input is read once, if any row has `seen`.
    """
    told = decisions.filter(pl.col(SEEN).is_not_null())
    if told.height == 0:
        return []
    records = records_with(sources, pl.concat([told["id_a"], told["id_b"]]), columns)
    sides = [
        told.select(id=name).join(records, on="id", how="left", maintain_order="left") for name in ("id_a", "id_b")
    ]
    return told.filter(versions(sides[0], sides[1], columns) != told[SEEN])["row"].to_list()
