"""statistics-refresh: the planner's statistics of tables that have changed, between two rounds of maintenance."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from core.errors import HeadraceError
from core.queue.store import statistics
from core.runtime import open_runtime
from core.terminal.guard import guarded
from flows.runs import run_names
from flows.runs.policies import in_words
from flows.runs.wiring import settings_of


class StatisticsRequest(BaseModel):
    """Whose statistics are renewed: those of every table that has changed enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@task(cache_policy=NO_CACHE, retries=0, persist_result=False)
def planner_statistics(postgres_block: str | None) -> dict[str, Any]:
    """Tables that were looked at, and those that somebody held."""
    with open_runtime(settings_of(postgres_block)) as runtime:
        return asdict(statistics.refresh(runtime.db))


@flow(name="statistics-refresh", flow_run_name=run_names.of_upkeep, persist_result=False)
async def statistics_refresh(
    request: StatisticsRequest = StatisticsRequest(),  # noqa: B008 - frozen, and Prefect reads the default for its form
    postgres_block: str | None = None,
) -> Any:
    """Look again at tables that have changed. Two at once do no harm: a table that is held is left to the other."""
    del request
    try:
        return planner_statistics(postgres_block)
    except HeadraceError as error:
        return in_words(error)


def main() -> None:
    """Do it once and print what was done."""
    print(json.dumps(asyncio.run(statistics_refresh())))  # noqa: T201 - the answer of this command


if __name__ == "__main__":
    guarded(main)
