"""The handler of the scaling benchmark: work that takes time and no processor."""

from __future__ import annotations

import threading

import polars as pl

BATCH_S = 0.5


def wait(rows: pl.DataFrame) -> pl.DataFrame:
    """Half a second a batch."""
    threading.Event().wait(BATCH_S)
    return rows.select("seq", output="payload")
