"""identity-resolution: a file of records becomes entities, batch by batch through the queue."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from prefect import flow, get_run_logger

from core.errors import HeadraceError, JobBlocked
from core.linkage.request import MatchRequest
from core.linkage.results.outline import outline_of
from core.runtime import open_runtime
from core.terminal.guard import guarded
from core.workloads.identity.outline_text import outline_lines
from core.workloads.identity.session import open_session
from core.workloads.identity.summary import show
from core.workloads.identity.workload import FLOW
from flows.runs import run_names
from flows.runs.events import tell_dead
from flows.runs.policies import in_words
from flows.runs.session import using
from flows.runs.stages import THREADS, all_stages
from flows.runs.wiring import RUNNERS, settings_of


@flow(name="identity-resolution", flow_run_name=run_names.of_match, persist_result=False, task_runner=THREADS)
async def identity_resolution(request: MatchRequest, postgres_block: str | None = None) -> Any:
    """Resolve the records of a file into entities; the same request resumes an unfinished job.

    Returns the figures of the job; ends as failed, with one sentence, where a batch is dead or the input is bad.
    """
    try:
        with (
            open_runtime(settings_of(postgres_block)) as runtime,
            open_session(runtime, request, threads=RUNNERS) as opened,
            using(opened) as session,
        ):
            get_run_logger().info("\n".join(outline_lines(outline_of(opened.job.description))))
            return await all_stages(session)
    except HeadraceError as error:
        if isinstance(error, JobBlocked):
            tell_dead(FLOW, error.dead)
        return in_words(error)


def main(arguments: list[str]) -> None:
    """Run one request given as JSON: what `headrace match --via prefect` becomes."""
    request = MatchRequest.model_validate_json(arguments[0])
    summary = asyncio.run(identity_resolution(request))
    show(summary, as_json="--json" in arguments, out=request.out)


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
