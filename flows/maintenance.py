"""maintenance: new partitions ahead, old ones dropped, statistics renewed, expired keys purged, the ledger sealed."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal
from uuid import uuid4

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, Field

from core.errors import HeadraceError
from core.queue.producers import unique_keys
from core.queue.store import partitions, retention, singleton
from core.review.audit.sealer import seal_waiting
from core.runtime import Runtime, open_runtime
from core.terminal.guard import guarded
from flows.runs import run_names
from flows.runs.policies import in_words
from flows.runs.wiring import settings_of
from flows.statistics_refresh import planner_statistics

DUTY: dict[str, Any] = {"cache_policy": NO_CACHE, "retries": 0, "persist_result": False}
"""What could not be done now is done in an hour."""

LEASE = "maintenance"
LEASE_S = 3600.0


Duty = Literal["partitions", "retention", "statistics", "keys", "ledger"]


class MaintenanceRequest(BaseModel):
    """Which duties of upkeep are done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duties: tuple[Duty, ...] = Field(
        ("partitions", "retention", "statistics", "keys", "ledger"),
        description="partitions: made ahead; retention: old ones dropped; statistics: renewed; keys: purged; "
        "ledger: sealed",
    )


def _opened(postgres_block: str | None) -> Any:
    return open_runtime(settings_of(postgres_block))


@task(**DUTY)
def partitions_ahead(postgres_block: str | None) -> int:
    """How many were made."""
    with _opened(postgres_block) as runtime:
        return partitions.ahead(runtime.db)


@task(**DUTY)
def old_partitions(postgres_block: str | None) -> dict[str, int]:
    """How many were dropped, held and kept."""
    with _opened(postgres_block) as runtime:
        return retention.counts(retention.retain(runtime.db, runtime.settings.queue, runtime.worker_id, uuid4()))


@task(**DUTY)
def expired_keys(postgres_block: str | None) -> int:
    """How many were deleted."""
    with _opened(postgres_block) as runtime:
        return unique_keys.purge(runtime.db)


@task(**DUTY)
def unsealed_events(postgres_block: str | None) -> int:
    """How many were sealed; consumers do so each second."""
    with _opened(postgres_block) as runtime:
        return seal_waiting(runtime.db, runtime.worker_id)


DUTIES: dict[str, tuple[str, Any]] = {
    "partitions": ("partitions_made", partitions_ahead),
    "retention": ("partitions", old_partitions),
    "statistics": ("statistics", planner_statistics),
    "keys": ("keys_purged", expired_keys),
    "ledger": ("events_sealed", unsealed_events),
}


@flow(name="maintenance", flow_run_name=run_names.of_upkeep, persist_result=False)
async def maintenance(
    request: MaintenanceRequest = MaintenanceRequest(),  # noqa: B008 - frozen, and Prefect reads the default for its form
    postgres_block: str | None = None,
) -> Any:
    """Keep the queue's tables in shape; once at a time. Returns counts; ends as failed if another process is at it."""
    try:
        with _opened(postgres_block) as runtime, _sole(runtime):
            return {name: do(postgres_block) for name, do in (DUTIES[duty] for duty in request.duties)}
    except HeadraceError as error:
        return in_words(error)


def _sole(runtime: Runtime) -> Any:
    return singleton.sole(runtime.db, LEASE, runtime.worker_id, LEASE_S)


def main() -> None:
    """Do it once and print what was done."""
    print(json.dumps(asyncio.run(maintenance())))  # noqa: T201 - the answer of this command


if __name__ == "__main__":
    guarded(main)
