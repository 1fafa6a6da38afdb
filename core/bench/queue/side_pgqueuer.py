"""pgqueuer's side of the queue benchmark. Where each setting comes from stands in decision 0012."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import uvloop
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode
from psycopg.conninfo import conninfo_to_dict

from core.bench.queue.payloads import payloads
from core.bench.queue.side import Clock, Drained, Options, Tick, timed_ms

ENTRYPOINT = "bench"
# Only how long an empty queue is waited for depends on it; the default of 30 s would end each drain with a pause.
IDLE_S = 0.2


def install(url: str, *, autovac: bool) -> None:
    """Its tables in an empty database; `autovac`: with the settings that its `pgq autovac` makes."""

    async def installed() -> None:
        connection = await _connect(url)
        queries = Queries(AsyncpgDriver(connection))
        await queries.install()
        if autovac:
            await queries.optimize_autovacuum()
        await connection.close()

    asyncio.run(installed())


async def _connect(url: str) -> Any:
    # asyncpg takes no libpq conninfo, but the fields of one.
    fields = conninfo_to_dict(url)
    known = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
    return await asyncpg.connect(**{known[name]: value for name, value in fields.items() if name in known})


class TimedQueries(Queries):
    """Its own queries with a stop-watch around claiming and acknowledging."""

    drained: Drained
    clock: Clock

    async def dequeue(self, *args: Any, **named: Any) -> list[Job]:
        """Claim a batch; an empty answer is the end of the queue and no claim."""
        started = time.perf_counter()
        jobs = await super().dequeue(*args, **named)
        if jobs:
            self.drained.claim_ms.append(timed_ms(started))
        return jobs

    async def log_jobs(self, job_status: Any) -> None:
        """Acknowledge a batch."""
        started = time.perf_counter()
        await super().log_jobs(job_status)
        self.drained.complete_ms.append(timed_ms(started))
        self.clock.acknowledged(len(job_status))


class PgqueuerSide:
    """Options: `enqueue_rows` a call (1: its call for a single job), `run`: arguments of its run()."""

    def __init__(self, url: str, options: Options) -> None:
        self._options = options
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._connection = self._runner.run(_connect(url))
        self._payloads: list[bytes | None] = []

    def prepare(self, first: int, rows: int) -> None:
        """Payloads as bytes, which is what it takes."""
        self._payloads = [text.encode() for text in payloads(rows, first)]

    def enqueue(self) -> None:
        """Lists of jobs, or one by one."""
        self._runner.run(self._enqueue(Queries(AsyncpgDriver(self._connection)), self._options["enqueue_rows"]))

    async def _enqueue(self, queries: Queries, at_once: int) -> None:
        if at_once == 1:
            for payload in self._payloads:
                await queries.enqueue(ENTRYPOINT, payload)
            return
        for at in range(0, len(self._payloads), at_once):
            part = self._payloads[at : at + at_once]
            await queries.enqueue([ENTRYPOINT] * len(part), part, [0] * len(part))

    def drain(self, limit_s: float, tick: Tick) -> Drained:
        """Its queue manager in drain mode."""
        return self._runner.run(self._drain(limit_s, tick))

    async def _drain(self, limit_s: float, tick: Tick) -> Drained:
        drained = Drained()
        queries = TimedQueries(AsyncpgDriver(self._connection))
        queries.drained, queries.clock = drained, Clock(drained, tick)
        manager = QueueManager(queries)

        @manager.entrypoint(ENTRYPOINT)
        async def handle(job: Job) -> None:
            n = orjson.loads(job.payload or b"{}")["n"]
            drained.total += n
            drained.seen.append(n)

        asyncio.get_running_loop().call_later(limit_s, manager.shutdown.set)
        run = {**self._options["run"], "dequeue_timeout": timedelta(seconds=IDLE_S)}
        if "log_aggregation_interval_s" in run:
            run["log_aggregation_interval"] = timedelta(seconds=run.pop("log_aggregation_interval_s"))
        await manager.run(mode=QueueExecutionMode.drain, **run)
        return drained

    def close(self) -> None:
        """Connection back."""
        self._runner.run(self._connection.close())
        self._runner.close()
