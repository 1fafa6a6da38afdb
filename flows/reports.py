"""What a run leaves to be seen in the Prefect UI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, acreate_table_artifact

from core.linkage.ports import Stage
from core.linkage.report import batch_rows, summary_markdown
from core.linkage.session import JobSession

logger = logging.getLogger(__name__)

Shown = Coroutine[Any, Any, None]


@asynccontextmanager
async def beside_the_work() -> AsyncIterator[Callable[[Shown], None]]:
    """Send reports while the work goes on; all are sent at the end of the block.

    What the server does not take is lost with a warning: a report is no reason to fail a job.
    """
    sending: list[asyncio.Task[None]] = []
    try:
        yield lambda report: sending.append(asyncio.create_task(report))
    finally:
        for failed in await asyncio.gather(*sending, return_exceptions=True):
            if failed is not None:
                logger.warning("a report did not reach the Prefect server: %s", type(failed).__name__)


async def stage_done(job_id: int, stage: Stage, percent: float) -> None:
    """Show how far the job is."""
    await acreate_progress_artifact(percent, key=f"job-{job_id}-progress", description=f"stage {stage} is done")


async def job_done(session: JobSession, summary: dict[str, Any]) -> None:
    """Show the figures of the job and its batches."""
    await acreate_markdown_artifact(summary_markdown(summary), key=f"job-{session.job_id}-summary")
    await acreate_table_artifact(batch_rows(session.job), key=f"job-{session.job_id}-batches")
