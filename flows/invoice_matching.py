"""invoice-matching: bank lines settle open items, batch by batch through the queue."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from prefect import flow

from core.errors import HeadraceError, JobBlocked
from core.runtime import open_runtime
from core.terminal.guard import guarded
from core.workloads.invoices.cli.shown import show
from core.workloads.invoices.queued.request import ReconcileRequest
from core.workloads.invoices.queued.session import open_session
from core.workloads.invoices.workload import FLOW
from flows.runs import run_names
from flows.runs.events import tell_dead
from flows.runs.policies import in_words
from flows.runs.session import using
from flows.runs.stages import THREADS, all_stages
from flows.runs.wiring import RUNNERS, settings_of


@flow(name="invoice-matching", flow_run_name=run_names.of_reconciliation, persist_result=False, task_runner=THREADS)
async def invoice_matching(request: ReconcileRequest, postgres_block: str | None = None) -> Any:
    """Find which open items each bank line settles, and write what is applied; the same request resumes its job.

    Returns the figures of the job; ends as failed, with one sentence, where a batch is dead or the input is bad.
    """
    try:
        with (
            open_runtime(settings_of(postgres_block)) as runtime,
            open_session(runtime, request, threads=RUNNERS) as opened,
            using(opened) as session,
        ):
            return await all_stages(session)
    except HeadraceError as error:
        if isinstance(error, JobBlocked):
            tell_dead(FLOW, error.dead)
        return in_words(error)


def main(arguments: list[str]) -> None:
    """Run one request given as JSON: what `headrace reconcile --via prefect` becomes."""
    request = ReconcileRequest.model_validate_json(arguments[0])
    summary = asyncio.run(invoice_matching(request))
    show(summary, summary["notices"], request.out, as_json="--json" in arguments)


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
