"""Does any batch of the flow."""

from __future__ import annotations

import polars as pl

from core.queue.handlers import handles
from tests.contract.tiny.workloads.tiny.kernels import vowels_of


@handles(schema={"text": pl.String})
def count(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("seq", output=pl.struct(vowels=pl.Series(vowels_of(rows["text"].to_list()))))
