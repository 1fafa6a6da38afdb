"""Our own side of the queue benchmark, through the public API only."""

from __future__ import annotations

import os
import time

import polars as pl
from pydantic import SecretStr

from core.bench.queue.payloads import SCHEMA, payloads
from core.bench.queue.side import Clock, Drained, Options, Tick, timed_ms
from core.database import DatabaseManager
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, LeaseKeeper
from core.queue.consumers.together import ROWS_MAX, Pace
from core.queue.leases.together import Finished
from core.queue.store.items import decode, items_together
from core.settings import DatabaseSettings, QueueSettings

FLOW = "bench"
# Rows handed to one call of enqueue.
CALL_ROWS = 100_000


def install(url: str) -> None:
    """Register the flow in a migrated database."""
    side = HeadraceSide(url, {"batch_rows": 1})
    side.queue.register_flow(FlowPolicy(FLOW))
    side.close()


def work(payload: pl.DataFrame) -> pl.DataFrame:
    """Results of about 30 bytes: the number, and something computed."""
    output = pl.format('{{"n":{},"double":{},"ok":true}}', "n", pl.col("amount") * 2)
    return payload.select("seq", output.alias("output"))


class HeadraceSide:
    """Option `batch_rows`: rows a batch."""

    def __init__(self, url: str, options: Options) -> None:
        # A COPY of 100,000 rows may take its second without being called a slow query.
        self.db = DatabaseManager("bench", DatabaseSettings(url=SecretStr(url), slow_query_ms=60_000))
        self.queue = BatchQueue(self.db, QueueSettings(), f"bench-{os.getpid()}")
        self._batch_rows = int(options["batch_rows"])
        self._frames: list[pl.DataFrame] = []

    def prepare(self, first: int, rows: int) -> None:
        """Frames of whole batches, of about CALL_ROWS payloads."""
        step = max(1, CALL_ROWS // self._batch_rows) * self._batch_rows
        self._frames = [
            payloads(min(step, first + rows - at), at).to_frame() for at in range(first, first + rows, step)
        ]

    def enqueue(self) -> None:
        """One call, and so one transaction, for each frame."""
        for frame in self._frames:
            self.queue.enqueue(FLOW, frame, batch_rows=self._batch_rows)

    def drain(self, limit_s: float, tick: Tick) -> Drained:
        """Claim, decode, work, complete, until nothing is ready."""
        drained, pace = Drained(), Pace()
        with LeaseKeeper(self.queue) as keeper:
            clock = Clock(drained, tick)
            while clock.since_start_s() < limit_s:
                started = time.perf_counter()
                batches = self.queue.claim(FLOW, pace.limit(), together_rows=ROWS_MAX)
                if not batches:
                    break
                drained.claim_ms.append(timed_ms(started))
                for batch in batches:
                    keeper.add(batch)
                pace.took(self._done(batches, drained))
                clock.acknowledged(sum(batch.n_items for batch in batches))
        return drained

    def _done(self, batches: list[ClaimedBatch], drained: Drained) -> list[tuple[float, int]]:
        """As a consumer does it: short batches in one commit, any other by itself. Seconds and rows of each."""
        if len(batches) == 1:
            (batch,) = batches
            began = time.perf_counter()
            decoded = self.queue.decode(batch, SCHEMA)
            results = work(decoded.frame)
            started = time.perf_counter()
            self.queue.complete(batch, results, failures=decoded.misfits)
            drained.complete_ms.append(timed_ms(started))
            return [(time.perf_counter() - began, batch.n_items)]
        took, group = list[tuple[float, int]](), list[Finished]()
        texts = items_together(self.db, batches)
        for batch in batches:
            began = time.perf_counter()
            results = work(decode(texts[batch.batch_id], SCHEMA).frame)
            took.append((time.perf_counter() - began, batch.n_items))
            group.append(Finished(batch, results, took[-1][0] * 1e3, 0.0))
        started = time.perf_counter()
        self.queue.complete_together(group)
        drained.complete_ms.append(timed_ms(started))
        return took

    def close(self) -> None:
        """Connections back."""
        self.db.dispose()
