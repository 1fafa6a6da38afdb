"""autoscale: as many consumer runs as a flow's queue needs; each minute four times, or as a process of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Literal

from prefect import flow
from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from pydantic import BaseModel, ConfigDict, Field

from core.errors import HeadraceError, QueueError, UnknownFlow
from core.queue.store import flows as queue_flows
from core.queue.store.wake import Wake
from core.runtime import Runtime, open_runtime
from core.scaling.announcements import announcements
from core.scaling.controller import Aim, Controller, Loop, Tick
from core.scaling.policy import Policy, for_batches, for_records
from core.terminal.decisions import teller
from core.terminal.guard import guarded
from core.terminal.signals import told_to_end
from flows.runs import run_names
from flows.runs.policies import in_words
from flows.runs.wiring import settings_of
from flows.server.answers import require_api
from flows.server.consumer_runs import RunPool

log = logging.getLogger(__name__)


class AutoscaleRequest(BaseModel):
    """Whose consumers, by which rule. Unset bounds are those of the kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flow_name: str = Field(description="flow whose queue is looked at")
    deployment: str = Field("consume/local", description="flow/deployment whose runs are the consumers")
    consumer: dict[str, Any] | None = Field(
        None, description="parameters of the consumer runs; empty: the deployment's"
    )
    kind: Literal["batch", "record"] = Field("batch", description="batch: consumers come and go; record: one always")
    min_consumers: int | None = Field(None, ge=0, description="consumers at least")
    max_consumers: int | None = Field(None, ge=1, description="consumers at most")
    drain_target_s: float | None = Field(None, gt=0, description="within which a backlog should be done")
    oldest_s: float | None = Field(None, ge=0, description="age of the oldest above which one more comes")
    ticks: int = Field(4, ge=1, le=60, description="decisions of one run")
    tick_s: float = Field(15, gt=0, le=15, description="seconds between two decisions")

    def policy(self) -> Policy:
        """Raises ConfigError where min is above max."""
        said = self.model_dump(
            include={"min_consumers", "max_consumers", "drain_target_s", "oldest_s"}, exclude_none=True
        )
        return for_records(**said) if self.kind == "record" else for_batches(**said)


@flow(name="autoscale", flow_run_name=run_names.of_autoscaler, persist_result=False)
async def autoscale(request: AutoscaleRequest, postgres_block: str | None = None) -> Any:
    """Look at the queue and submit or call off consumer runs, four times in a minute.

    Stands by while another autoscaler of the flow acts. Returns what the last decision wanted.
    """
    try:
        with open_runtime(settings_of(postgres_block)) as runtime, _controller(runtime, request) as controller:
            told = [tick async for tick in _ticks(controller, request)]
            await _show(request, told)
            return _summary(told[-1])
    except HeadraceError as error:
        return in_words(error)


async def _ticks(controller: Controller, request: AutoscaleRequest) -> AsyncIterator[Tick | None]:
    for number in range(request.ticks):
        if number:
            await asyncio.sleep(request.tick_s)
        now = await asyncio.to_thread(controller.tick)
        _announce(request, now)
        yield now


@contextmanager
def _controller(runtime: Runtime, request: AutoscaleRequest) -> Iterator[Controller]:
    aim = Aim(
        request.flow_name, request.policy(), runtime.settings.queue.batch_rows, runtime.settings.scaling.retain_days
    )
    with get_client(sync_client=True) as client:
        pool = RunPool(client, request.deployment, request.flow_name, request.consumer)
        # An API that is away may come back; a deployment that is not there is a wrong name.
        with suppress(QueueError):
            pool.require()
        controller = Controller(runtime.db, aim, pool, runtime.worker_id)
        try:
            yield controller
        finally:
            controller.leave()


def _announce(request: AutoscaleRequest, now: Tick | None) -> None:
    """Events for automations: what changed the fleet, and a backlog that is too old, or no longer so."""
    for one in announcements(request.flow_name, now):
        emit_event(one.event, one.resource, payload=one.payload)


async def _show(request: AutoscaleRequest, told: list[Tick | None]) -> None:
    """One table a run, where it did anything."""
    rows = [_summary(tick) for tick in told]
    if any(row.get("started") or row.get("stopped") or row.get("error") for row in rows):
        name = "".join(letter if letter.isalnum() else "-" for letter in request.flow_name.lower()).strip("-")
        await acreate_table_artifact(rows, key=f"autoscale-{name}", description=f"consumers of {request.flow_name}")


def _summary(tick: Tick | None) -> dict[str, Any]:
    if tick is None:
        return {"reason": "another autoscaler acts"}
    done = tick.effect
    return {
        "active": tick.fleet.active,
        "desired": tick.decision.desired,
        "started": done.started if done else None,
        "stopped": done.stopped if done else None,
        "error": tick.error,
        "reason": tick.decision.reason,
    }


def serve(request: AutoscaleRequest, *, as_json: bool = False) -> None:
    """The long-lived form: woken by new work, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    show = teller(request.flow_name, as_json=as_json)

    def say(now: Tick | None) -> None:
        show(now)
        _announce(request, now)

    require_api()
    with open_runtime() as runtime:
        _warn_of_unknown(runtime, request.flow_name)
        with _controller(runtime, request) as controller:
            wake = Wake(runtime.db, runtime.settings.queue, [request.flow_name])
            loop = Loop(controller, wake, runtime.settings.scaling.tick_s, say)
            with closing(wake), told_to_end(loop.stop):
                loop.run()


def _warn_of_unknown(runtime: Runtime, flow_name: str) -> None:
    """A flow that will be registered later may have its autoscaler before, as on a new cluster."""
    try:
        queue_flows.require_known(runtime.db, flow_name)
    except UnknownFlow as error:
        log.warning("nothing to scale yet: %s", error.message)


def main(arguments: list[str]) -> None:
    """Run one request given as JSON, once or `--forever`: what `headrace scale run --on prefect` becomes."""
    request = AutoscaleRequest.model_validate_json(arguments[0])
    if "--forever" in arguments:
        serve(request, as_json="--json" in arguments)
        return
    print(asyncio.run(autoscale(request)))  # noqa: T201 - the answer of this command


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
