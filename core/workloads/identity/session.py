"""A process that takes part in resolving identities through the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.jobs.memory import fit, limit_bytes
from core.jobs.ports import Stage
from core.jobs.queue_source import QueueSource
from core.jobs.session import JobSession
from core.linkage.description import DESCRIPTION, JobDescription
from core.linkage.history.earlier_runs import earlier_runs
from core.linkage.job import LinkageJob
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.results.outputs import summarise, write_outputs
from core.linkage.stages.needs import NEEDS, SHARES
from core.linkage.stages.table import TABLE
from core.metrics.process import usable_cores
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import flows
from core.runtime import Runtime
from core.storage.workspace import Workspace
from core.workloads.identity.made_persons.samples import sampled
from core.workloads.identity.publishing.erasure import Erasure
from core.workloads.identity.publishing.publication import EntityPublication
from core.workloads.identity.reviewing.ledger_decisions import with_verdicts
from core.workloads.identity.summary import summary_markdown
from core.workloads.identity.workload import FLOW, WORK_QUEUE

Forget = Callable[[int], list[str]]
"""Of the number of a job; returns what should be known."""


class IdentitySession(JobSession):
    """Joins a job of identity resolution: submits it if it is new, resumes it if it is not."""

    job: LinkageJob

    def __init__(
        self,
        queue: BatchQueue,
        description: JobDescription,
        workspace: Workspace,
        *,
        poll_s: float = 1.0,
        threads: int | None = None,
        forget: Forget = lambda job_id: [],
    ) -> None:
        """`forget` deletes what earlier jobs hold, where records were removed or changed."""
        self._forget = forget
        threads = threads or usable_cores()
        flows.ensure(queue.db, FlowPolicy(FLOW, splittable=False, work_queue=WORK_QUEUE))
        digest = "-".join(str(source["digest"]) for source in description.sources)
        parameters = description.request.model_dump(mode="json") | {"workspace": workspace.uri}
        job_id = queue.submit_job(FLOW, description.key, parameters, digest, rerun=description.request.rerun).job_id
        room = fit(NEEDS, description.rows, threads, limit_bytes(description.request.memory_gb))
        source = QueueSource(queue, FLOW, job_id, workspace.uri)
        job = LinkageJob(description, TABLE, workspace, source, threads=threads, at_once=room.at_once)
        super().__init__(job, source, EntityPublication(queue, job_id, job), poll_s=poll_s)

    @property
    def title(self) -> str:
        """The job's number and what it works on."""
        request = self.job.description.request
        return f"{super().title}: {title_of(request.input, request.spec)}"

    def share_done(self, stage: Stage) -> float:
        """Close the books of a drained stage; returns the progress in percent, by the usual shares of the stages."""
        super().share_done(stage)
        done = self.stages[: self.stages.index(stage) + 1]
        return 100.0 * sum(SHARES[each] for each in done) / sum(SHARES[each] for each in self.stages)

    def left_s(self) -> float | None:
        """By the usual shares of the stages and by the time of those this process had a part in; others say nothing."""
        known = [stage for stage in self.seconds if stage in self.worked]
        rest = sum(SHARES[stage] for stage in self.stages if stage not in self.seconds)
        if not known or not rest:
            return None
        return sum(self.seconds[stage] for stage in known) * rest / sum(SHARES[stage] for stage in known)

    def finish(self) -> dict[str, Any]:
        """Make the job's answer the one that counts, and sum it up."""
        self.publish()
        notices = self._forget(self.job_id) if self.job.description.erases else []
        summary = summarise(self.job, self.spent_s, self.seconds) | {"job_id": self.job_id}
        return summary | {"notices": [*summary["notices"], *notices]}

    def markdown(self, summary: dict[str, Any]) -> str:
        """The summary as a short page of Markdown."""
        return summary_markdown(summary, self.job.description.request.out)

    def write_outputs(self, summary: dict[str, Any]) -> None:
        """Write the files the request asks for. Raises ConfigError: the job was done before, and its files are gone."""
        if self.job.description.request.out is None:
            return
        try:
            write_outputs(self.job, Path(self.job.description.request.out), summary)
        except FileNotFoundError:
            if self.worked:
                raise
            raise ConfigError(
                f"job {self.job_id} was done before, but its files in {self.job.workspace.uri} are gone; set "
                "`rerun` to do it again",
                fields=("rerun",),
            ) from None


def title_of(source: str, spec: str) -> str:
    """`people.csv by persons`: names alone, of `demo:persons?rows=20000` without what is asked of it."""
    names = (str(path).partition("?")[0].rstrip("/").rpartition("/")[2] for path in (source, spec))
    return " by ".join(names)


def was_begun(runtime: Runtime, key: str) -> bool:
    """Whether a queued job of that name has been described."""
    with closing(runtime.workspace_of(key)) as workspace:
        return workspace.read_json(DESCRIPTION) is not None


@contextmanager
def open_session(runtime: Runtime, request: MatchRequest, *, threads: int) -> Iterator[IdentitySession]:
    """Describe the job of a request and join it; its session is the block's to close.

    Unless the request names decisions, those that people made about its data set hold.

    Raises as `understand` and `describe` of `core.linkage.prepare`; ConfigError: the memory does not suffice.
    """
    samples = runtime.settings.state_dir / "samples"
    request = request.model_copy(update={"input": sampled(request.input, samples)})
    request = with_verdicts(request, runtime.db, runtime.settings.state_dir / "verdicts", given=False)
    understood = understand(request, partial(was_begun, runtime))
    with closing(runtime.workspace_of(understood.key)) as workspace:
        earlier = earlier_runs(None if understood.base is None else understood.base.out)
        description = describe(understood, workspace, ours=runtime.settings.state_dir / "exports")
        yield IdentitySession(
            runtime.queue,
            description,
            workspace,
            poll_s=runtime.settings.queue.poll_s,
            threads=threads,
            forget=Erasure(runtime, earlier, description).forget,
        )
