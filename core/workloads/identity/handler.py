"""The handler of identity resolution: any batch of any job, on whatever machine sees the job's workspace."""

from __future__ import annotations

from functools import lru_cache

import orjson
import polars as pl

from core.jobs.ports import Output, Stage, StageBatch
from core.jobs.stages import run_batch
from core.linkage.description import DESCRIPTION, JobDescription
from core.linkage.job import LinkageJob
from core.linkage.stages.table import TABLE
from core.metrics.process import usable_cores
from core.queue import BatchQueue
from core.queue.handlers import HandlerResult, handles
from core.queue.producers import stages
from core.runtime import open_runtime
from core.workloads.identity.publishing.result_tables import sink_of

# A job holds mapped arrays of its workspace, and local copies of an object store's files; a consumer rarely works for
# more than two at once.
JOBS_HELD = 2


@handles()
def run_any(rows: pl.DataFrame) -> HandlerResult:
    """Do one batch of a stage. The queue acknowledges it with what the stage writes, in one transaction.

    Args:
        rows: one row whose payload is the batch's source: `uri` of the workspace, and under `batch` what it is.
    Raises HeadraceError as the stage does.
    """
    told = orjson.loads(rows["payload"][0])
    facts = told["batch"]
    job = _job(int(facts["job_id"]), str(told["uri"]))
    batch = StageBatch(facts["stage"], facts["partition"], facts["n_items"], facts["tag"], None)
    output = run_batch(job, batch)
    results = pl.DataFrame({"seq": [0], "output": [orjson.dumps(output).decode()]})
    return HandlerResult(results, sink=sink_of(job, int(facts["job_id"]), batch, output))


class _Outputs:
    """What a stage reads of the queue; handing out and acknowledging is the consumer's."""

    publishes = True

    def __init__(self, queue: BatchQueue, job_id: int) -> None:
        self._queue, self._job_id = queue, job_id

    def outputs(self, stage: Stage) -> list[Output]:
        return stages.results(self._queue.db, self._job_id, stage)


@lru_cache(maxsize=JOBS_HELD)
def _job(job_id: int, uri: str) -> LinkageJob:
    with open_runtime() as runtime:
        workspace = runtime.workspace(uri)
        description = JobDescription.model_validate(workspace.read_json(DESCRIPTION))
        # The pool lets go of its connections and makes new ones when it is asked again.
        found = _Outputs(runtime.queue, job_id)
        threads = runtime.settings.matching.threads or usable_cores()
    return LinkageJob(description, TABLE, workspace, found, threads=threads)
