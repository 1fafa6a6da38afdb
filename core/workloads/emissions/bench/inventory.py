"""Times of an inventory's stages on made lines, of look-ups, and of a simulation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.workloads.emissions.factors.broker import FactorBroker
from core.workloads.emissions.factors.sets import starter_set
from core.workloads.emissions.inventory.run import Request, prepare, run, write
from core.workloads.emissions.rules.simulation import simulate

_LOOK_UPS, _DRAWS, _LINES, _GROUPS = 2_000_000, 10_000, 10_000, 300


def measure(rows: int, seed: int, folder: Path) -> dict[str, Any]:
    """Seconds of each stage: spend lines of the starter's codes in a Parquet file, to lines and summary on the disk."""
    spend_lines(rows, seed).write_parquet(folder / "lines.parquet")
    seconds: dict[str, float] = {}
    with _timed(seconds, "read"):
        ready = prepare(Request(folder / "lines.parquet"))
    with _timed(seconds, "compute"):
        computed, summary = run(ready)
    with _timed(seconds, "write"):
        write(folder / "answer", ready, computed, summary)
    counted = summary["by_fate"]["counted"]["lines"]
    broker = FactorBroker(starter_set(), "naics-2017")
    codes = pl.Series(_codes(_LOOK_UPS, seed))
    looked: dict[str, float] = {}
    with _timed(looked, "look_ups"):
        broker.many(codes)
    lines, factors = _spread_lines(seed)
    with _timed(looked, "simulation"):
        simulate(lines, factors, _DRAWS, seed)
    return {
        "rows": rows,
        "seed": seed,
        "counted": counted,
        "decided_by_fractions": computed.n_exact,
        "distinct_questions": computed.n_questions,
        "seconds": {name: round(took, 3) for name, took in seconds.items()},
        "total_seconds": round(sum(seconds.values()), 3),
        "lines_per_second": round(rows / sum(seconds.values())),
        "look_ups_per_second": round(_LOOK_UPS / looked["look_ups"]),
        "simulation": {"draws": _DRAWS, "lines": _LINES, "groups": _GROUPS, "seconds": round(looked["simulation"], 3)},
    }


def spend_lines(rows: int, seed: int) -> pl.DataFrame:
    """Invoice lines with a code, in four currencies over five years, of one supplier in fifty lines."""
    draws, keys = Draws(seed), np.arange(rows, dtype=np.int64)
    frame = pl.DataFrame(
        {
            "key": keys,
            "code": _codes(rows, seed),
            "currency": np.array(["EUR", "USD", "GBP", "SEK"])[draws.below("currency", keys, 4)],
            "cents": draws.below("cents", keys, 100_000_000) + 100,
            "day": draws.below("day", keys, 5 * 365),
            "supplier": draws.below("supplier", keys, max(rows // 50, 1)),
        }
    )
    return frame.select(
        line_id=pl.format("L{}", "key"),
        document=pl.format("INV{}", pl.col("key") // 3),
        document_line=(pl.col("key") % 3).cast(pl.String),
        document_type=pl.lit("invoice"),
        date=(pl.lit("2021-01-01").str.to_date() + pl.duration(days="day")).cast(pl.String),
        supplier=pl.format("Supplier {} Ltd", "supplier"),
        code_scheme=pl.lit("naics-2017"),
        code="code",
        amount=pl.format(
            "{}.{}", pl.col("cents") // 100, (pl.col("cents") % 100).cast(pl.String).str.pad_start(2, "0")
        ),
        currency="currency",
        valuation=pl.lit("purchaser"),
    )


def _codes(rows: int, seed: int) -> np.ndarray[Any, Any]:
    codes = np.array(sorted(factor.code for factor in starter_set().members[0].factors))
    chosen: np.ndarray[Any, Any] = codes[Draws(seed).below("code", np.arange(rows, dtype=np.int64), len(codes))]
    return chosen


def _spread_lines(seed: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any]]:
    draws, keys, groups = Draws(seed), np.arange(_LINES, dtype=np.int64), np.arange(_GROUPS, dtype=np.int64)
    lines = (-1000 * np.log(1 - draws.unit("x", keys)), np.full(_LINES, 0.05), draws.below("group", keys, _GROUPS))
    return lines, (draws.unit("factor", groups) + 0.01, np.full(_GROUPS, 0.4))


@contextmanager
def _timed(into: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    into[name] = time.perf_counter() - started
