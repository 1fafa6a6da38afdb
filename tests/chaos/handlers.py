"""What `headrace consume` runs in the chaos tests."""

from __future__ import annotations

import time

import polars as pl

from core.queue.handlers import handles


@handles(schema={"n": pl.Int64, "work_ms": pl.Int64})
def number(rows: pl.DataFrame) -> pl.DataFrame:
    """The number itself, after the time that the first row asks for."""
    time.sleep((rows["work_ms"][0] or 0) / 1e3)
    return rows.select("seq", pl.col("n").cast(pl.String).alias("output"))


@handles(schema={"n": pl.Int64})
def bulky(rows: pl.DataFrame) -> pl.DataFrame:
    """The number with a tail of spaces, to fill a disk."""
    return rows.select("seq", pl.concat_str(pl.col("n").cast(pl.String), pl.lit(" " * 1_700)).alias("output"))
