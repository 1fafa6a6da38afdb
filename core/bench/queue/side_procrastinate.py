"""procrastinate's side of the queue benchmark. Where each setting comes from stands in decision 0012."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import orjson
import procrastinate
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from core.bench.queue.payloads import payloads
from core.bench.queue.side import Clock, Drained, Options, Tick, timed_ms


def install(url: str) -> None:
    """Its tables in an empty database."""

    async def installed() -> None:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(installed())


class TimedManager(JobManager):
    """Its own manager with a stop-watch around claiming and acknowledging."""

    drained: Drained
    clock: Clock

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Claim a job; an empty answer is the end of the queue and no claim."""
        started = time.perf_counter()
        job = await super().fetch_job(queues, worker_id)
        if job is not None:
            self.drained.claim_ms.append(timed_ms(started))
        return job

    async def finish_job(self, job: Job, status: Any, delete_job: bool) -> None:
        """Acknowledge a job."""
        started = time.perf_counter()
        await super().finish_job(job, status, delete_job)
        self.drained.complete_ms.append(timed_ms(started))
        self.clock.acknowledged(1)


class ProcrastinateSide:
    """Options: `enqueue_rows` a call (1: its call for a single job), `worker`: arguments of run_worker_async."""

    def __init__(self, url: str, options: Options) -> None:
        self._options = options
        self._runner = asyncio.Runner()
        self._drained = Drained()
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, **options["pool"]))
        self._runner.run(self._open())
        self._arguments: list[dict[str, Any]] = []

        @self._app.task(name="bench")
        async def handle(n: int, **rest: Any) -> None:
            self._drained.total += n
            self._drained.seen.append(n)

        self._task = handle

    async def _open(self) -> None:
        await self._app.open_async()

    def prepare(self, first: int, rows: int) -> None:
        """Payloads as arguments of the task, which is what it takes."""
        self._arguments = [orjson.loads(text) for text in payloads(rows, first)]

    def enqueue(self) -> None:
        """In batches, or one by one."""
        self._runner.run(self._enqueue(self._options["enqueue_rows"]))

    async def _enqueue(self, at_once: int) -> None:
        if at_once == 1:
            for arguments in self._arguments:
                await self._task.defer_async(**arguments)
            return
        for at in range(0, len(self._arguments), at_once):
            await self._task.batch_defer_async(*self._arguments[at : at + at_once])

    def drain(self, limit_s: float, tick: Tick) -> Drained:
        """Its worker with wait=False, which ends when there are no jobs."""
        self._drained = Drained()
        self._runner.run(self._drain(limit_s, tick))
        return self._drained

    async def _drain(self, limit_s: float, tick: Tick) -> None:
        manager = TimedManager(self._app.connector)
        manager.drained, manager.clock = self._drained, Clock(self._drained, tick)
        self._app.job_manager = manager
        running = asyncio.create_task(
            self._app.run_worker_async(wait=False, install_signal_handlers=False, **self._options["worker"])
        )
        done, _ = await asyncio.wait([running], timeout=limit_s)
        if not done:
            # It finishes the jobs it has begun, then ends as cancelled.
            running.cancel()
            await asyncio.wait([running])
            return
        running.result()

    def close(self) -> None:
        """Connections back."""
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        await self._app.close_async()
