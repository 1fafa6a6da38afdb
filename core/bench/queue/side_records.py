"""Sides of the record-level benchmark: the API itself, and what it is held against, bare durable commits."""

from __future__ import annotations

import time

from pydantic import SecretStr

from core.bench.harness.database import session
from core.bench.queue.payloads import payloads
from core.bench.queue.side import Clock, Drained, Options, Tick, timed_ms
from core.database import DatabaseManager
from core.database.queries import load, run
from core.distributed import DistributedProcessor
from core.settings import DatabaseSettings, QueueSettings

Q = load("bench")
FLOW = "bench"


class RecordsSide:
    """Options `flush_every`: marks a transaction; `claim`: records a claim."""

    def __init__(self, url: str, options: Options) -> None:
        self.db = DatabaseManager("bench", DatabaseSettings(url=SecretStr(url), slow_query_ms=60_000))
        self.processor = DistributedProcessor(self.db, QueueSettings(), flush_every=int(options["flush_every"]))
        self._claim = int(options["claim"])
        self._records: list[dict[str, object]] = []

    def prepare(self, first: int, rows: int) -> None:
        """Payloads as the API takes them: dictionaries."""
        self._records = [{"n": n, "text": text} for n, text in enumerate(payloads(rows, first).to_list(), first)]

    def enqueue(self) -> None:
        """All in one call."""
        self.processor.add_records_to_queue(FLOW, self._records)

    def drain(self, limit_s: float, tick: Tick) -> Drained:
        """Claim, then mark one by one, each with its result."""
        drained = Drained()
        clock = Clock(drained, tick)
        while clock.since_start_s() < limit_s:
            started = time.perf_counter()
            claimed = self.processor.claim_records_batch(FLOW, self._claim)
            drained.claim_ms.append(timed_ms(started))
            if not claimed:
                # A header that another process holds is no end.
                if self.processor.get_queue_status(FLOW)["pending_records"]:
                    continue
                break
            for record in claimed:
                started = time.perf_counter()
                self.processor.mark_record_completed(record["id"], {"n": record["payload"]["n"]})
                drained.complete_ms.append(timed_ms(started))
            self.processor.flush()
            clock.acknowledged(len(claimed))
        return drained

    def close(self) -> None:
        """Connections back."""
        self.processor.close()
        self.db.dispose()


class CommitsSide:
    """One row a commit, and nothing else: what the disk and the protocol allow. Option `rows`: how many."""

    def __init__(self, url: str, options: Options) -> None:
        self._url = url
        self._rows = int(options["rows"])

    def prepare(self, first: int, rows: int) -> None:
        """Nothing to render."""

    def enqueue(self) -> None:
        """Nothing to put in."""

    def drain(self, limit_s: float, tick: Tick) -> Drained:
        """Insert and commit, row by row."""
        drained = Drained()
        with session(self._url) as conn:
            clock = Clock(drained, tick)
            while drained.n_rows < self._rows and clock.since_start_s() < limit_s:
                started = time.perf_counter()
                run(conn, Q["bench_commit"], {"n": drained.n_rows})
                drained.complete_ms.append(timed_ms(started))
                clock.acknowledged(1)
        return drained

    def close(self) -> None:
        """Nothing is open between drains."""
