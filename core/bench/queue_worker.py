"""A worker process of the queue benchmark: `python -m core.bench.queue_worker`, driven over its pipes.

Reads the URL, says `ready`, waits for `go`, drains the flow, prints one line of JSON. The URL may hold a password,
hence not as an argument.
"""

from __future__ import annotations

import json
import os
import sys
import time

import polars as pl
from pydantic import SecretStr

from core.bench.queue import FLOW, SCHEMA
from core.database import DatabaseManager
from core.queue import BatchQueue, LeaseKeeper
from core.settings import DatabaseSettings, QueueSettings


def work(payload: pl.DataFrame) -> pl.DataFrame:
    """Results of about 30 bytes: the number, and something computed."""
    output = pl.format('{{"n":{},"double":{},"ok":true}}', "n", pl.col("amount") * 2)
    return payload.select("seq", output.alias("output"))


def drain(queue: BatchQueue) -> dict[str, list[float]]:
    """Claim, decode, work, complete, until nothing is ready; milliseconds of each claim and completion."""
    claim_ms: list[float] = []
    complete_ms: list[float] = []
    with LeaseKeeper(queue) as keeper:
        while True:
            started = time.perf_counter()
            batches = queue.claim(FLOW, 1)
            claim_ms.append((time.perf_counter() - started) * 1e3)
            if not batches:
                return {"claim_ms": claim_ms, "complete_ms": complete_ms}
            (batch,) = batches
            keeper.add(batch)
            decoded = queue.decode(batch, SCHEMA)
            results = work(decoded.frame)
            started = time.perf_counter()
            queue.complete(batch, results, failures=decoded.misfits)
            complete_ms.append((time.perf_counter() - started) * 1e3)


def main() -> None:
    """Run one worker over standard input and output."""
    db = DatabaseManager("bench", DatabaseSettings(url=SecretStr(sys.stdin.readline().strip())))
    queue = BatchQueue(db, QueueSettings(), f"bench-{os.getpid()}")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    report = drain(queue)
    db.dispose()
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
