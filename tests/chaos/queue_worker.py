"""A worker process: drains a flow, sums the numbers, says what it holds, and can be told to stop in mid-batch."""

from __future__ import annotations

import sys

import polars as pl
from pydantic import SecretStr

from core.database import DatabaseManager
from core.queue import BatchQueue, LeaseKeeper
from core.settings import DatabaseSettings, QueueSettings


def main() -> None:
    url, worker_id, flow, hold = sys.stdin.readline().split("\t")
    db = DatabaseManager(worker_id, DatabaseSettings(url=SecretStr(url)))
    queue = BatchQueue(db, QueueSettings(), worker_id)
    with LeaseKeeper(queue) as keeper:
        while batches := queue.claim(flow):
            (batch,) = batches
            keeper.add(batch)
            print(batch.batch_id, flush=True)
            frame = queue.decode(batch, {"n": pl.Int64}).frame
            if hold.strip() == "hold":
                sys.stdin.readline()
            queue.complete(batch, frame.select("seq", pl.col("n").cast(pl.String).alias("output")))
    db.dispose()


if __name__ == "__main__":
    main()
