"""The stages of a job as task runs: batches are mapped over the runners of a flow run."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from core.errors import HeadraceError
from core.jobs.drain import hand_out
from core.jobs.ports import Stage
from core.jobs.session import JobSession
from flows.runs import reports
from flows.runs.policies import BATCH_TASK, BATCHES_PER_RUN, in_words
from flows.runs.run_names import rename
from flows.runs.session import current
from flows.runs.wiring import RUNNERS

THREADS: Any = ThreadPoolTaskRunner(max_workers=RUNNERS)


@task(task_run_name="{stage}-{tag}", **BATCH_TASK)
def run_batch(stage: Stage, tag: str) -> dict[str, Any]:
    """Do and acknowledge one claimed batch."""
    return current().run(tag)


async def _first_done(flying: list[PrefectFuture[dict[str, Any]]]) -> PrefectFuture[dict[str, Any]]:
    return await asyncio.to_thread(lambda: next(as_completed(flying)))


async def _hand_out(stage: Stage, limit: int) -> int:
    """Map at most `limit` batches of a stage over the runners of the flow run; returns how many there were."""
    submit = partial(run_batch.submit, stage)
    return await hand_out(
        current(), stage, limit, at_once=current().in_flight(stage), submit=submit, first_done=_first_done
    )


@flow(name="drain", flow_run_name="{stage}", task_runner=THREADS)
async def drain(stage: Stage, limit: int = BATCHES_PER_RUN) -> Any:
    """Map the next batches of a stage: what is too many for the flow run above."""
    try:
        return await _hand_out(stage, limit)
    except HeadraceError as error:
        return in_words(error)


async def all_stages(session: JobSession) -> dict[str, Any]:
    """Take part in every stage until it is drained, whoever works on it; returns the figures of the job."""
    room, card, log = BATCHES_PER_RUN, reports.ProgressCard(session.job_id), get_run_logger()
    async with reports.beside_the_work() as show_later:
        show_later(rename(session.title))
        for stage in session.stages:
            started = time.perf_counter()
            session.open(stage)
            room -= await _hand_out(stage, room)
            while not (progress := session.progress(stage)).drained:
                await drain(stage)
            show_later(card.show(stage, session.share_done(stage), session.left_s()))
            log.info("stage %s: %d batches in %.1f s", stage, progress.done, time.perf_counter() - started)
        summary = session.finish()
        show_later(reports.job_done(session, summary))
        session.write_outputs(summary)
        return summary
