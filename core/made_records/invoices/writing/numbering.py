"""Numbers of invoices: three series a file, one of them of plain digits that the others contain."""

from __future__ import annotations

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.made_records.invoices.customers import Ints

N_SERIES = 3
# {year} and {short} are those of issue; n is the running number
_FORMS = (
    "RE-{year}-{n:06d}",
    "INV{n:07d}",
    "{short}/{n:05d}",
    "90{n:08d}",
    "F{n}",
    "AR {short}-{n:05d}",
    "{year}{n:06d}",
)


def made_numbers(series: Ints, issued: Ints, order: Ints, draws: Draws, first_day: np.datetime64) -> pl.Series:
    """(n,) the number of each document, running by day of issue within its series; no two are equal.

    Args:
        series: (n,) 0 to 2; the first is plain digits from some hundreds on, so that 1203 stands within 12034.
        issued: (n,) days since `first_day`. order: (n,) what comes first on one day.
    """
    once = np.zeros(1, dtype=np.int64)
    forms = draws.shuffled("forms of numbers", np.arange(len(_FORMS)), len(_FORMS))[: N_SERIES - 1]
    starts = [int(draws.below(f"start of series {n}", once, 800)[0]) + 200 for n in range(N_SERIES)]
    running = np.empty(len(series), dtype=np.int64)
    ranked = np.lexsort((order, issued, series))
    sizes = np.bincount(series, minlength=N_SERIES)
    running[ranked] = np.concatenate([np.arange(size) + starts[n] for n, size in enumerate(sizes)])
    years = (first_day + issued).astype("datetime64[Y]").astype(np.int64) + 1970
    frame = pl.DataFrame({"series": series, "n": running, "year": years}).with_columns(pl.all().cast(pl.Int64))
    written = pl.col("n").cast(pl.String)
    for n, form in enumerate(forms.tolist(), start=1):
        written = pl.when(pl.col("series") == n).then(_written(_FORMS[form])).otherwise(written)
    return frame.select(written.alias("number")).to_series()


def _written(form: str) -> pl.Expr:
    head, _, tail = form.partition("{n")
    width = int(tail[2:4].rstrip("d")) if tail.startswith(":") else 0
    year = pl.col("year").cast(pl.String)
    before = pl.lit("")
    for part in head.replace("}", "{").split("{"):
        before += {"year": year, "short": year.str.slice(2)}.get(part, pl.lit(part))
    return before + pl.col("n").cast(pl.String).str.pad_start(width, "0")
