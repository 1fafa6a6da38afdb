"""A batch of a job as a consumer has it: a row of the queue, and a result that is acknowledged with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import orjson
import polars as pl

from core.jobs.ports import Output, Sink, StageBatch
from core.jobs.staged_job import StagedJob
from core.jobs.stages import run_batch
from core.queue.handlers import HandlerResult

J = TypeVar("J", bound=StagedJob)


def consume_batch(
    rows: pl.DataFrame, job_of: Callable[[int, str], J], sink_of: Callable[[J, int, StageBatch, Output], Sink | None]
) -> HandlerResult:
    """Do one batch of a stage. The queue acknowledges it with what the stage writes, in one transaction.

    Args:
        rows: one row whose payload is the batch's source: `uri` of the workspace, and under `batch` what it is.
        job_of: the job of a number and a workspace.
    Raises HeadraceError as the stage does.
    """
    told = orjson.loads(rows["payload"][0])
    facts = told["batch"]
    job_id = int(facts["job_id"])
    job = job_of(job_id, str(told["uri"]))
    batch = StageBatch(facts["stage"], facts["partition"], facts["n_items"], facts["tag"], None)
    output = run_batch(job, batch)
    results = pl.DataFrame({"seq": [0], "output": [orjson.dumps(output).decode()]})
    return HandlerResult(results, sink=sink_of(job, job_id, batch, output))
