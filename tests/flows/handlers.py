"""What consumers run in these tests."""

from __future__ import annotations

import polars as pl


def fails(rows: pl.DataFrame) -> pl.DataFrame:
    """As a handler with a defect."""
    raise ValueError(f"{rows.height} rows are too many")
