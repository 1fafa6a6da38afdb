"""tiny: texts become batches of the queue."""

from __future__ import annotations

from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, Field

from core.queue import FlowPolicy
from core.queue.store import flows
from core.runtime import open_runtime
from flows.runs.wiring import settings_of
from tests.contract.tiny.workloads.tiny.workload import FLOW, WORK_QUEUE


class TinyRequest(BaseModel):
    """Whose vowels are counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    texts: tuple[str, ...] = Field(description="texts, one a row")
    batch_rows: int = Field(2, ge=1, description="rows of a batch")


@task(cache_policy=NO_CACHE, persist_result=False)
def put(request: TinyRequest, postgres_block: str | None) -> int:
    """How many rows were enqueued."""
    with open_runtime(settings_of(postgres_block)) as runtime:
        flows.ensure(runtime.db, FlowPolicy(FLOW, work_queue=WORK_QUEUE))
        runtime.queue.enqueue(FLOW, [{"text": text} for text in request.texts], batch_rows=request.batch_rows)
    return len(request.texts)


@flow(name="tiny", persist_result=False)
def tiny(request: TinyRequest, postgres_block: str | None = None) -> Any:
    """Enqueue texts; consumers of their queue count the vowels."""
    return put(request, postgres_block)
