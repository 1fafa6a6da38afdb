"""What `headrace consume` runs in the chaos tests."""

from __future__ import annotations

import os
import random
import time
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from core.queue.handlers import HandlerResult, handles

RAISE = sql.SQL("DO $$ BEGIN RAISE EXCEPTION 'chaos' USING ERRCODE = {}; END $$")
# Conditions of the moment, as the server raises them.
PASSING = ("40001", "40P01", "55P03", "57014", "25006")


@handles(schema={"n": pl.Int64, "work_ms": pl.Int64})
def number(rows: pl.DataFrame) -> pl.DataFrame:
    """The number itself, after the time that the first row asks for."""
    time.sleep((rows["work_ms"][0] or 0) / 1e3)
    return rows.select("seq", pl.col("n").cast(pl.String).alias("output"))


@handles(schema={"n": pl.Int64, "work_ms": pl.Int64})
def moody(rows: pl.DataFrame) -> Any:
    """The same; now and then it forks, and its sink meets a condition of the moment or ends its connection."""
    dice = random.Random(f"{rows['n'][0]} {os.getpid()} {time.monotonic_ns()}")
    if dice.random() < 0.1:
        child = os.fork()
        if child == 0:
            # It ends by itself, or comes back out of the handler; what polars computes would never end in a child.
            return os._exit(0) if dice.random() < 0.5 else None
        os.waitpid(child, 0)
    found = number(rows)
    return HandlerResult(found, sink=_trouble(dice)) if dice.random() < 0.1 else found


def _trouble(dice: random.Random) -> Any:
    def sink(conn: psycopg.Connection[Any]) -> None:
        state = dice.choice([*PASSING, "gone"])
        if state == "gone":
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        conn.execute(RAISE.format(sql.Literal(state)))

    return sink


@handles(schema={"n": pl.Int64})
def bulky(rows: pl.DataFrame) -> pl.DataFrame:
    """The number with a tail of spaces, to fill a disk."""
    return rows.select("seq", pl.concat_str(pl.col("n").cast(pl.String), pl.lit(" " * 1_700)).alias("output"))
