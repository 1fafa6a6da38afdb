"""The handler of invoice matching: any batch of any job, on whatever machine sees the job's workspace."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from core.jobs.consumed import consume_batch
from core.jobs.queue_source import QueueOutputs
from core.queue.handlers import HandlerResult, handles
from core.runtime import open_runtime
from core.workloads.invoices.queued.job import DESCRIPTION, JobDescription, ReceivablesJob
from core.workloads.invoices.queued.publication import sink_of
from core.workloads.invoices.queued.stages import TABLE

JOBS_HELD = 2
"""A job holds mapped arrays of its workspace; a consumer rarely works for more than two at once."""


@handles()
def run_any(rows: pl.DataFrame) -> HandlerResult:
    """Do one batch of a stage, as `consume_batch`."""
    return consume_batch(rows, _job, sink_of)


@lru_cache(maxsize=JOBS_HELD)
def _job(job_id: int, uri: str) -> ReceivablesJob:
    with open_runtime() as runtime:
        workspace = runtime.workspace(uri)
        description = JobDescription.model_validate(workspace.read_json(DESCRIPTION))
        # The pool lets go of its connections and makes new ones when it is asked again.
        return ReceivablesJob(description, TABLE, (workspace, job_id), QueueOutputs(runtime.queue, job_id))
