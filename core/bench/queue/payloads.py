"""What every system of the queue benchmark gets: JSON objects of about 200 bytes, the same for all."""

from __future__ import annotations

import polars as pl

SCHEMA = {
    "n": pl.Int64,
    "name": pl.String,
    "street": pl.String,
    "city": pl.String,
    "amount": pl.Float64,
    "note": pl.String,
}


def payloads(n_rows: int, first: int = 0) -> pl.Series:
    """JSON objects of about 200 bytes; `n` counts from `first`."""
    n = pl.int_range(first, first + n_rows, dtype=pl.Int64)
    fields = pl.select(
        n.alias("n"),
        pl.format("{} Example", pl.lit("Persephone")).alias("name"),
        pl.format("{} Long Meadow Avenue", n % 9_973).alias("street"),
        pl.format("Springfield {}", n % 997).alias("city"),
        (n % 100_000).cast(pl.Float64).alias("amount") / 100,
        pl.lit("an ordinary remark of some eighty characters, so that a payload has its usual size").alias("note"),
    )
    return fields.select(pl.struct(pl.all()).struct.json_encode().alias("payload"))["payload"]


def mean_bytes() -> int:
    """Size of a payload."""
    texts = payloads(1_000, 1_000_000)
    return int(texts.str.len_bytes().cast(pl.Int64).sum()) // texts.len()
