"""What consumers run in these tests."""

from __future__ import annotations

import threading

import polars as pl


def at_leisure(rows: pl.DataFrame) -> pl.DataFrame:
    """A quarter of a second of work that costs nothing."""
    threading.Event().wait(0.25)
    return rows.select("seq", output="payload")
