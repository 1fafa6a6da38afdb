"""Compile every kernel once, so that no first run pays for it: `python -m core.linkage.warm`.

Kernels are cached beside their sources (or in the user's cache folder where those are read-only). A tiny job is run
from file to entities, because a kernel is compiled for the exact types it meets there.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import polars as pl

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import explain, run_of_output

# From 2,000 rows on pairs are drawn instead of listed, by a kernel of its own.
PERSONS = 2_000


def _persons() -> pl.DataFrame:
    """People enough that every stage has work; what they are called matters to no one."""
    number = pl.int_range(PERSONS, eager=True)
    person = number // 2
    text = person.cast(pl.String)
    return pl.DataFrame(
        {
            "id": number.cast(pl.String),
            "first_name": "ann" + text + (number % 2).cast(pl.String),
            "last_name": "oak" + text,
            "dob": (19400101 + person % 28 + 10000 * (person % 60)).cast(pl.String),
            "ssn": (100_000_000 + person * 7919).cast(pl.String),
            "phone": (2_025_550_000 + person).cast(pl.String),
            "street": text + " elm street",
            "city": "town " + (person % 40).cast(pl.String),
            "state": "ny",
            "zip": (10_000 + person % 90).cast(pl.String),
            "email": "ann" + text + "@example.org",
        }
    )


def warm() -> float:
    """Compile; returns the seconds it took (well under one when all is cached)."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="headrace-warm-") as folder:
        path = Path(folder) / "persons.csv"
        other = path.with_suffix(".parquet")
        _persons().write_csv(path)
        _persons().write_parquet(other)
        workspaces = Path(folder) / "workspaces"
        out = path.with_name("resolved.parquet")
        resolve(MatchRequest(input=str(path), id_column="id", out=str(out)), workspaces)
        explain(run_of_output(out), "0", "1")
        more = path.with_name("more.csv")
        _persons().with_columns(id="more " + pl.col("id")).write_csv(more)
        resolve(MatchRequest(input=str(more), id_column="id", against=str(out), allow_drift=True), workspaces)
        resolve(MatchRequest(input=str(other), id_column="id"), workspaces)
        resolve(
            MatchRequest(input=str(path), id_column="id", link=(str(other), str(more)), one_to_one=True), workspaces
        )
    return time.perf_counter() - started


if __name__ == "__main__":
    print(f"kernels ready in {warm():.1f} s")  # noqa: T201
