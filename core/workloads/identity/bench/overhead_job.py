"""`python -m core.workloads.identity.bench.overhead_job REQUEST`: the flow without Prefect, thread for thread."""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from core.database import DatabaseManager
from core.errors import HeadraceError
from core.jobs.drain import hand_out
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.metrics.process import usable_cores
from core.queue import BatchQueue
from core.settings import read_settings
from core.storage.workspace import Workspace
from core.workloads.identity.session import IdentitySession

BATCHES_MOST = 1_000_000


def run(request: MatchRequest, threads: int) -> dict[str, Any]:
    """The job's figures. Raises HeadraceError."""
    settings = read_settings()
    db = DatabaseManager.from_settings(settings)
    understood = understand(request)
    workspace = Workspace(str(settings.state_dir / "workspaces" / "jobs" / understood.key))
    queue = BatchQueue(db, settings.queue, "bench-overhead")
    description = describe(understood, workspace)
    session = IdentitySession(queue, description, workspace, poll_s=settings.queue.poll_s, threads=threads)
    try:
        _all_stages(session, threads)
        summary = session.finish()
        session.write_outputs(summary)
        return summary
    finally:
        session.close()
        db.dispose()


def _all_stages(session: IdentitySession, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for stage in session.stages:
            session.open(stage)
            while not session.progress(stage).drained:
                asyncio.run(_drain(session, stage, pool))
            session.share_done(stage)


async def _drain(session: IdentitySession, stage: Any, pool: ThreadPoolExecutor) -> int:
    def submit(tag: str) -> Future[dict[str, Any]]:
        return pool.submit(session.run, tag)

    async def first_done(flying: list[Future[dict[str, Any]]]) -> Future[dict[str, Any]]:
        return next(iter(wait(flying, return_when=FIRST_COMPLETED).done))

    at_once = session.in_flight(stage)
    return await hand_out(session, stage, BATCHES_MOST, at_once=at_once, submit=submit, first_done=first_done)


def main(arguments: list[str]) -> int:
    """As the flow's module: one request as JSON; prints the figures."""
    threads = usable_cores()
    try:
        summary = run(MatchRequest.model_validate_json(arguments[0]), threads)
    except HeadraceError as error:
        sys.stderr.write(f"headrace: {error.message}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
