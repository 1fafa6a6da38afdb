"""What a run leaves to be seen in the Prefect UI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from core.jobs.ports import Stage
from core.jobs.session import TABLE_ROWS_MAX, JobSession, batch_rows
from core.terminal.spans import span_words
from core.terminal.tables import JOINED

logger = logging.getLogger(__name__)

Shown = Coroutine[Any, Any, None]


@asynccontextmanager
async def beside_the_work() -> AsyncIterator[Callable[[Shown], None]]:
    """Send reports while the work goes on, one after the other; all are sent at the end of the block.

    What the server does not take is lost with a warning: a report is no reason to fail a job.
    """
    sending: list[asyncio.Task[None]] = []
    # Who waits for it is served in the order of asking, so a later report never overtakes an earlier one.
    turn = asyncio.Lock()

    async def in_turn(report: Shown) -> None:
        async with turn:
            await report

    try:
        yield lambda report: sending.append(asyncio.create_task(in_turn(report)))
    finally:
        for failed in await asyncio.gather(*sending, return_exceptions=True):
            if failed is not None:
                logger.warning("a report did not reach the Prefect server: %s", type(failed).__name__)


class ProgressCard:
    """The one progress artifact of a job in a run, which fills up stage by stage.

    Short stages follow each other faster than anybody reads, and each update costs as much as a batch of theirs: what
    is newest is shown, once in `pause_s` at most.
    """

    def __init__(self, job_id: int, pause_s: float = 2.0) -> None:
        self._key = f"job-{job_id}-progress"
        self._pause_s = pause_s
        self._card: UUID | None = None
        self._newest: tuple[float, str] | None = None
        self._all_done = asyncio.Event()

    def show(self, stage: Stage, percent: float, left_s: float | None = None) -> Shown:
        """Say which stage is done and what is left, or what has been done since, when its turn comes.

        Args:
            left_s: seconds that the others may take; None: nothing tells.
        """
        left = "" if left_s is None else f", about {span_words(left_s).replace(JOINED, ' ')} left"
        self._newest = percent, "all stages are done" if percent >= 100 else f"stage {stage} is done{left}"
        if percent >= 100:
            self._all_done.set()
        return self._show_newest()

    async def _show_newest(self) -> None:
        if self._newest is None:
            return
        (percent, said), self._newest = self._newest, None
        # A card that could not be made before is made now.
        if self._card is None:
            self._card = await acreate_progress_artifact(percent, key=self._key, description=said)
        else:
            await aupdate_progress_artifact(self._card, percent, description=said)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_done.wait(), self._pause_s)


async def job_done(session: JobSession, summary: dict[str, Any]) -> None:
    """Show the figures of the job and its batches."""
    await acreate_markdown_artifact(
        session.markdown(summary),
        key=f"job-{session.job_id}-summary",
        description="What the job found, and where its time went",
    )
    await acreate_table_artifact(
        batch_rows(session.job),
        key=f"job-{session.job_id}-batches",
        description=f"Batches, the slowest first, at most {TABLE_ROWS_MAX}",
    )
