"""identity-resolution: a file of records becomes entities, batch by batch through the queue."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from core.cli import guarded
from core.cli.summary import show
from core.errors import HeadraceError, JobBlocked
from core.linkage.handing_out import hand_out
from core.linkage.ports import Stage
from core.linkage.queue_source import FLOW
from core.linkage.request import MatchRequest
from core.linkage.session import JobSession
from flows import reports
from flows.events import tell_dead
from flows.policies import BATCH_TASK, BATCHES_PER_RUN, in_words
from flows.session import current, using
from flows.wiring import RUNNERS, open_session

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


@flow(name="identity-resolution", persist_result=False, task_runner=THREADS)
async def identity_resolution(request: MatchRequest, postgres_block: str | None = None) -> Any:
    """Resolve the records of a file into entities; the same request resumes an unfinished job.

    Returns the figures of the job; ends as failed, with one sentence, where a batch is dead or the input is bad.
    """
    try:
        with open_session(request, postgres_block) as opened, using(opened) as session:
            return await _all_stages(session)
    except HeadraceError as error:
        if isinstance(error, JobBlocked):
            tell_dead(FLOW, error.dead)
        return in_words(error)


async def _all_stages(session: JobSession) -> dict[str, Any]:
    room, card, log = BATCHES_PER_RUN, reports.ProgressCard(session.job_id), get_run_logger()
    async with reports.beside_the_work() as show_later:
        for stage in session.stages:
            started = time.perf_counter()
            session.open(stage)
            room -= await _hand_out(stage, room)
            while not (progress := session.progress(stage)).drained:
                await drain(stage)
            show_later(card.show(stage, session.share_done(stage)))
            log.info("stage %s: %d batches in %.1f s", stage, progress.done, time.perf_counter() - started)
        summary = session.finish()
        show_later(reports.job_done(session, summary))
        session.write_outputs(summary)
        return summary


def main(arguments: list[str]) -> None:
    """Run one request given as JSON: what `headrace match --via prefect` becomes."""
    request = MatchRequest.model_validate_json(arguments[0])
    summary = asyncio.run(identity_resolution(request))
    show(summary, as_json="--json" in arguments, out=request.out)


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
