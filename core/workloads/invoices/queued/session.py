"""A process that takes part in a queued reconciliation."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.currencies import money_words
from core.errors import ConfigError
from core.jobs.queue_source import QueueSource
from core.jobs.session import JobSession
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import flows
from core.runtime import Runtime
from core.storage.workspace import Workspace
from core.workloads.invoices.queued.job import JobDescription, ReceivablesJob, describe_job, digests
from core.workloads.invoices.queued.publication import AllocationPublication
from core.workloads.invoices.queued.request import ReconcileRequest, job_key
from core.workloads.invoices.queued.stages import TABLE
from core.workloads.invoices.reconciling.run import in_the_future, record_from, require_out, write_folder
from core.workloads.invoices.workload import FLOW, WORK_QUEUE


class ReceivablesSession(JobSession):
    """Joins a reconciliation: submits it if it is new, resumes it if it is not."""

    job: ReceivablesJob

    def __init__(
        self, queue: BatchQueue, description: JobDescription, workspace: Workspace, *, poll_s: float, threads: int
    ) -> None:
        flows.ensure(queue.db, FlowPolicy(FLOW, splittable=False, work_queue=WORK_QUEUE))
        request = description.request
        digest = "-".join(found for kind in sorted(description.sha256) for found in description.sha256[kind])
        parameters = request.model_dump(mode="json") | {"workspace": workspace.uri}
        job_id = queue.submit_job(FLOW, description.key, parameters, digest, rerun=request.rerun).job_id
        source = QueueSource(queue, FLOW, job_id, workspace.uri)
        job = ReceivablesJob(description, TABLE, (workspace, job_id), source, threads=threads)
        super().__init__(job, source, AllocationPublication(queue, job, queue.worker_id), poll_s=poll_s)

    @property
    def title(self) -> str:
        """The job's number and what it works on."""
        names = [Path(path).name for path in (*self.job.request.payments, self.job.request.invoices)]
        return f"{super().title}: {' and '.join(names)}"

    def finish(self) -> dict[str, Any]:
        """Make the job's answer the one that counts, and sum it up."""
        self.publish()
        told = self.job.outputs("import")[0]
        return {
            **self.job.outputs("refresh")[0]["figures"],
            "job_id": self.job_id,
            "out": self.job.request.out,
            "batches": {stage: len(self.job.outputs(stage)) for stage in self.stages},
            "stages": {stage: round(spent, 3) for stage, spent in self.seconds.items()},
            "notices": [*told["notices"], *in_the_future(self.job.sides.payments, datetime.now(UTC).date())],
        }

    def markdown(self, summary: dict[str, Any]) -> str:
        """The summary as a short page: sums by state, stages, notices."""
        states = "\n".join(
            f"| {state} | {entry['payments']:,} | "
            f"{', '.join(money_words(code, minor) for code, minor in sorted(entry['amount_minor'].items()))} |"
            for state, entry in summary["states"].items()
        )
        stages = "\n".join(
            f"| {stage} | {summary['batches'][stage]} | {spent:.2f} |" for stage, spent in summary["stages"].items()
        )
        notices = "\n".join(f"- {notice}" for notice in summary["notices"]) or "- none"
        return (
            f"# {summary['payments']:,} payments, {summary['invoices']:,} open items\n\n"
            f"| state | payments | amounts |\n|---|---|---|\n{states}\n\n"
            f"| stage | batches | seconds |\n|---|---|---|\n{stages}\n\n"
            f"## Notices\n\n{notices}\n"
        )

    def write_outputs(self, summary: dict[str, Any]) -> None:
        """Write the folder that is asked for. Raises ConfigError: the job was done before, and its files are gone."""
        request = self.job.request
        if request.out is None:
            return
        told = self.job.outputs("import")[0]
        try:
            made = (self.job.sides, self.job.model)
            record = record_from(
                request.plain(), (told["notices"], told["mapping"]), made, self.job.outputs("refresh")[0]["figures"]
            )
            write_folder(Path(request.out), record, self.job.answer, request.format)
        except FileNotFoundError:
            if self.worked:
                raise
            raise ConfigError(
                f"job {self.job_id} was done before, but its files in {self.job.workspace.uri} are gone; set "
                "`rerun` to do it again",
                fields=("rerun",),
            ) from None


@contextmanager
def open_session(runtime: Runtime, request: ReconcileRequest, *, threads: int) -> Iterator[ReceivablesSession]:
    """Describe the job of a request and join it; its session is the block's to close.

    Raises InputError: a file cannot be read. ConfigError: `out` is a file.
    """
    if request.out is not None:
        require_out(Path(request.out))
    found = digests(request)
    with closing(runtime.workspace_of(job_key(request, found))) as workspace:
        description = describe_job(request, found, workspace, getpass.getuser())
        poll_s = runtime.settings.queue.poll_s
        yield ReceivablesSession(runtime.queue, description, workspace, poll_s=poll_s, threads=threads)
