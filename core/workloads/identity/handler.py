"""The handler of identity resolution: any batch of any job, on whatever machine sees the job's workspace."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from core.jobs.consumed import consume_batch
from core.jobs.queue_source import QueueOutputs
from core.linkage.description import DESCRIPTION, JobDescription
from core.linkage.job import LinkageJob
from core.linkage.stages.table import TABLE
from core.metrics.process import usable_cores
from core.queue.handlers import HandlerResult, handles
from core.runtime import open_runtime
from core.workloads.identity.publishing.result_tables import sink_of

# A job holds mapped arrays of its workspace, and local copies of an object store's files; a consumer rarely works for
# more than two at once.
JOBS_HELD = 2


@handles()
def run_any(rows: pl.DataFrame) -> HandlerResult:
    """Do one batch of a stage, as `consume_batch`."""
    return consume_batch(rows, _job, sink_of)


@lru_cache(maxsize=JOBS_HELD)
def _job(job_id: int, uri: str) -> LinkageJob:
    with open_runtime() as runtime:
        workspace = runtime.workspace(uri)
        description = JobDescription.model_validate(workspace.read_json(DESCRIPTION))
        # The pool lets go of its connections and makes new ones when it is asked again.
        found = QueueOutputs(runtime.queue, job_id)
        threads = runtime.settings.matching.threads or usable_cores()
    return LinkageJob(description, TABLE, workspace, found, threads=threads)
