"""Handlers that do what handlers must not do, for rows whose number says so."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from core.errors import PoisonFailure, TransientFailure
from core.queue import RowFailure
from core.queue.handlers import HandlerResult, handles
from core.runtime import open_runtime

BAD = 13


@handles(flow="sums", schema={"n": pl.Int64})
def double(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("seq", output=(pl.col("n") * 2).cast(pl.String))


def _bad(rows: pl.DataFrame) -> bool:
    return BAD in rows["n"]


@handles(schema={"n": pl.Int64})
def raises(rows: pl.DataFrame) -> pl.DataFrame:
    if _bad(rows):
        raise ValueError(f"the secret of row {BAD} is 078-05-1120")
    return double(rows)


@handles(schema={"n": pl.Int64})
def raises_poison(rows: pl.DataFrame) -> pl.DataFrame:
    if _bad(rows):
        raise PoisonFailure("078-05-1120")
    return double(rows)


@handles(schema={"n": pl.Int64})
def runs_out_of_memory(rows: pl.DataFrame) -> pl.DataFrame:
    if _bad(rows):
        raise MemoryError
    return double(rows)


@handles(schema={"n": pl.Int64})
def raises_transient(rows: pl.DataFrame) -> pl.DataFrame:
    raise TransientFailure("078-05-1120")


@handles(schema={"n": pl.Int64})
def exits_politely(rows: pl.DataFrame) -> pl.DataFrame:
    if _bad(rows):
        sys.exit(7)
    return double(rows)


@handles(schema={"n": pl.Int64})
def leaves_rows_out(rows: pl.DataFrame) -> pl.DataFrame:
    return double(rows.filter(pl.col("n") != BAD))


@handles(schema={"n": pl.Int64})
def answers_twice(rows: pl.DataFrame) -> pl.DataFrame:
    return double(pl.concat([rows, rows.filter(pl.col("n") == BAD)]))


@handles(schema={"n": pl.Int64})
def invents_rows(rows: pl.DataFrame) -> pl.DataFrame:
    shift = 1_000 if _bad(rows) else 0
    return double(rows).with_columns(pl.col("seq") + shift)


@handles(schema={"n": pl.Int64})
def names_columns_wrongly(rows: pl.DataFrame) -> pl.DataFrame:
    return double(rows).rename({"output": "result"}) if _bad(rows) else double(rows)


@handles(schema={"n": pl.Int64})
def writes_no_json(rows: pl.DataFrame) -> pl.DataFrame:
    broken = pl.when(pl.col("n") == BAD).then(pl.lit("{not json")).otherwise(pl.col("n").cast(pl.String))
    return rows.select("seq", output=broken)


@handles(schema={"n": pl.Int64})
def fails_rows(rows: pl.DataFrame) -> HandlerResult:
    bad = rows.filter(pl.col("n") == BAD)["seq"]
    good = double(rows.filter(pl.col("n") != BAD))
    return HandlerResult(good, [RowFailure(seq, "TooOld", "before 1900") for seq in bad])


@handles(schema={"n": pl.Int64})
def always_raises(rows: pl.DataFrame) -> pl.DataFrame:
    raise KeyError("078-05-1120")


@handles(schema={"n": pl.Int64, "how": pl.String})
def takes_its_worker_down(rows: pl.DataFrame) -> pl.DataFrame:
    """In the way that the row asks for, with processes of its own beside it."""
    eaten = []
    for alone in (False, True):
        child = subprocess.Popen(["sleep", "1000"], start_new_session=alone)
        (Path(os.environ["GATE"]) / f"{'left' if alone else 'kept'}-{child.pid}").touch()
    match next(iter(rows["how"].drop_nulls()), None):
        case "dies":
            os._exit(3)
        case "dies smiling":
            os._exit(0)
        case "crashes":
            ctypes.string_at(0)
        case "hangs":
            while True:
                time.sleep(60)
        case "eats memory":
            while True:
                eaten.append(bytearray(32 << 20))
                time.sleep(0.01)
    return double(rows)


@handles(schema={"n": pl.Int64})
def waits_for_a_file(rows: pl.DataFrame) -> pl.DataFrame:
    """Says that it has begun, and works until the file is gone."""
    gate = Path(os.environ["GATE"])
    (gate / f"begun-{os.getpid()}").touch()
    while (gate / "closed").exists():
        time.sleep(0.01)
    return double(rows)


@handles(schema={"n": pl.Int64})
def opens_a_database(rows: pl.DataFrame) -> pl.DataFrame:
    """Asks the database of the settings for its name, as the handler of identity resolution asks it for a job."""
    with open_runtime() as runtime:
        (name,) = runtime.db.execute_query("name", "SELECT current_database()::text")[0]
    return rows.select("seq", output=pl.lit(f'"{name}"'))


@handles(schema={"n": pl.Int64})
def logs_and_dies(rows: pl.DataFrame) -> pl.DataFrame:
    logging.getLogger("jobs.survey").info("two\nlines")
    os._exit(3)
