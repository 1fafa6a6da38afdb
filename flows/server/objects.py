"""What a Prefect server should hold, and what it takes to get it there: one client, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from prefect import Flow
from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import State, StateType, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from core.deploying.manifest import Deployment
from core.deploying.pools import QUEUES, PoolPlan
from core.deploying.schema import revision_of
from core.errors import ConfigError, MigrationError
from flows.server.forms import form
from flows.server.schedules import in_order, is_ours, merged

Action = Literal["created", "updated", "unchanged"]
MISSED_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Change:
    """One object of the server and what was done to it."""

    kind: str
    name: str
    action: Action
    note: str = ""


async def put_pool(client: PrefectClient, plan: PoolPlan, template: dict[str, Any]) -> Change:
    """The pool with its template. Its limit is set once: an operator may change it.

    Raises ConfigError: the server has a pool of that name and another type.
    """
    try:
        found = await client.read_work_pool(plan.name)
    except ObjectNotFound:
        wanted = WorkPoolCreate(
            name=plan.name,
            type=plan.type,
            description=plan.description,
            base_job_template=template,
            concurrency_limit=plan.runs_max,
        )
        await client.create_work_pool(wanted)
        return Change("work pool", plan.name, "created")
    if found.type != plan.type:
        raise ConfigError(
            f"the server has a work pool {plan.name} of type {found.type}, and {plan.type} is needed; delete it "
            f"(`prefect work-pool delete {plan.name}`) or deploy to another server",
            pool=plan.name,
            got=found.type,
            expected=plan.type,
        )
    note = _fullness(found)
    if found.base_job_template == template and found.description == plan.description:
        return Change("work pool", plan.name, "unchanged", note)
    await client.update_work_pool(plan.name, WorkPoolUpdate(base_job_template=template, description=plan.description))
    return Change("work pool", plan.name, "updated", note)


def _fullness(pool: WorkPool) -> str:
    limit, taken = pool.concurrency_limit, pool.active_slots
    words = []
    if pool.is_paused:
        words.append("it is paused: runs wait until it is resumed")
    if limit is not None and taken is not None and taken >= limit:
        words.append(
            f"it is at its limit, {taken} of {limit} slots are taken: new runs wait; raise it with "
            f"`prefect work-pool set-concurrency-limit {pool.name} {2 * max(limit, 1)}`"
        )
    return "; ".join(words)


async def put_queues(client: PrefectClient, pool: str) -> list[Change]:
    """The work queues of a pool; limits are set once, as the pool's."""
    found = {queue.name: queue for queue in await client.read_work_queues(work_pool_name=pool)}
    changes = []
    # In the order of their priorities: the server moves others up to make room.
    for plan in sorted(QUEUES, key=lambda one: one.priority):
        name = f"{pool}/{plan.name}"
        if plan.name in found:
            changes.append(Change("work queue", name, "unchanged"))
            continue
        await client.create_work_queue(
            name=plan.name,
            description=plan.description,
            priority=plan.priority,
            concurrency_limit=plan.runs_max,
            work_pool_name=pool,
        )
        changes.append(Change("work queue", name, "created"))
    return changes


async def put_block(client: PrefectClient, name: str, block: Block) -> Change:
    """A block of ours with the given values; its type is made known where it is not."""
    kind = type(block)
    slug = str(kind._block_type_slug)
    before: Any = None
    try:
        document = await client.read_block_document_by_name(name, slug)
        before = {key: value for key, value in document.data.items() if value is not None}
    except ObjectNotFound:
        pass
    values = {key: _plain(value) for key, value in block.model_dump().items() if key in kind.model_fields}
    if before == {key: value for key, value in values.items() if value is not None}:
        return Change("block", f"{slug}/{name}", "unchanged")
    await block.save(name, overwrite=True, client=client)
    return Change("block", f"{slug}/{name}", "created" if before is None else "updated")


def _plain(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


async def put_deployment(
    client: PrefectClient,
    deployment: Deployment,
    flow: Flow[..., Any],
    version: str,
    scheduled: bool | None = None,
) -> tuple[Change, UUID]:
    """A deployment as the file says it. A schedule that somebody has paused stays paused; `scheduled` overrides it.

    Schedules that somebody has added on the server stay as they are, but that False lets them rest too.

    Raises MigrationError: a newer version of Headrace has deployed it.
    """
    full_name = f"{flow.name}/{deployment.name}"
    wanted: dict[str, Any] = {
        "version": version,
        "description": deployment.description,
        "tags": sorted(deployment.tags),
        "parameters": deployment.parameters,
        "entrypoint": deployment.entrypoint,
        "path": None,
        "pull_steps": [],
        "enforce_parameter_schema": True,
        "job_variables": deployment.work_pool.job_variables,
        "work_pool_name": deployment.work_pool.name,
        "work_queue_name": deployment.work_pool.work_queue_name,
        "parameter_openapi_schema": form(flow.parameters.model_dump(mode="json")),
    }
    try:
        before = await client.read_deployment_by_name(full_name)
    except ObjectNotFound:
        before = None
    if before is not None and (made_for := revision_of(before.version) or "") > (ours := revision_of(version) or ""):
        raise MigrationError(
            f"the deployment {full_name} was made for schema {made_for} and this version of Headrace has {ours}: "
            "upgrade Headrace here, or delete the deployment",
            has=made_for,
            needs=ours,
        )
    if not deployment.schedules:
        wanted["paused"] = _rests(before, scheduled, full_name)
    held = before.schedules if before is not None else []
    schedules = merged(deployment.schedules, held, full_name, scheduled)
    same = before is not None and {**_as_held(before), **_pause_of(before, wanted)} == wanted
    if same and before is not None and in_order(held) == in_order(schedules):
        return Change("deployment", full_name, "unchanged"), before.id
    flow_id = await client.create_flow_from_name(flow.name)
    made = await client.create_deployment(
        flow_id=flow_id,
        name=deployment.name,
        schedules=schedules,
        **wanted,
    )
    return Change("deployment", full_name, "created" if before is None else "updated"), made


def _rests(before: DeploymentResponse | None, scheduled: bool | None, full_name: str) -> bool:
    """Whether a deployment without schedules is paused: as it is held, and as somebody paused the schedule it had."""
    if scheduled is not None:
        return not scheduled
    if before is None:
        return False
    dropped = [one for one in before.schedules if is_ours(one, full_name)]
    return before.paused or (bool(dropped) and not any(one.active for one in dropped))


def _pause_of(before: DeploymentResponse, wanted: dict[str, Any]) -> dict[str, bool]:
    """Only where the file has a say in it."""
    return {"paused": before.paused} if "paused" in wanted else {}


async def is_scheduled(client: PrefectClient, deployment_id: UUID) -> bool:
    """Whether a deployment runs by itself."""
    return any(one.active for one in (await client.read_deployment(deployment_id)).schedules)


def _as_held(held: DeploymentResponse) -> dict[str, Any]:
    """What the server holds, in the form of what is wanted."""
    return {
        "version": held.version,
        "description": held.description,
        "tags": sorted(held.tags),
        "parameters": held.parameters,
        "entrypoint": held.entrypoint,
        "path": held.path,
        "pull_steps": held.pull_steps or [],
        "enforce_parameter_schema": held.enforce_parameter_schema,
        "job_variables": held.job_variables,
        "work_pool_name": held.work_pool_name,
        "work_queue_name": held.work_queue_name,
        "parameter_openapi_schema": held.parameter_openapi_schema,
    }


async def drop_missed(client: PrefectClient, full_name: str, deployment_id: UUID, now: datetime) -> list[Change]:
    """Scheduled runs whose time passed while no worker ran: the next one does their work, and all at once would not.

    Else a night without the stack leaves an hour of autoscaling to be caught up (prefect#19313).
    """
    missed = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=now - MISSED_AFTER),
    )
    found = [run for run in await client.read_flow_runs(flow_run_filter=missed) if run.auto_scheduled]
    for run in found:
        await client.delete_flow_run(run.id)
    note = f"dropped, because no worker ran at their time: {len(found)}"
    return [Change("missed runs", full_name, "updated", note)] if found else []


async def end_orphans(client: PrefectClient, pool: str) -> list[Change]:
    """Runs of a pool that are said to run or to begin although no worker of it lives: each would hold a slot for ever.

    Only for whoever knows that none lives: automations watch events, and none come of what ended with its server.
    """
    said = FlowRunFilter(
        state=FlowRunFilterState(
            type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
        )
    )
    in_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool]))
    found = await client.read_flow_runs(flow_run_filter=said, work_pool_filter=in_pool)
    for run in found:
        crashed: State[Any] = Crashed(message="its process ended with the stack before")
        await client.set_flow_run_state(run.id, crashed, force=True)
    note = f"crashed, because their processes ended with the stack before: {len(found)}"
    return [Change("orphaned runs", pool, "updated", note)] if found else []


async def put_automations(client: PrefectClient, wanted: Sequence[AutomationCore]) -> list[Change]:
    """Automations by name. One that somebody has switched off stays off."""
    changes = []
    for automation in wanted:
        found = await client.read_automations_by_name(automation.name)
        if not found:
            await client.create_automation(automation)
            changes.append(Change("automation", automation.name, "created"))
            continue
        kept = automation.model_copy(update={"enabled": found[0].enabled})
        if _essence(found[0]) == _essence(kept):
            changes.append(Change("automation", automation.name, "unchanged"))
            continue
        await client.update_automation(found[0].id, kept)
        changes.append(Change("automation", automation.name, "updated"))
    return changes


def _essence(automation: AutomationCore) -> dict[str, Any]:
    """What makes two automations the same: not the ids that the server gives to parts of a trigger."""
    dumped = automation.model_dump(mode="json", include={"name", "description", "enabled", "trigger", "actions"})
    dumped["trigger"].pop("id", None)
    for key in ("after", "expect", "for_each"):
        dumped["trigger"][key] = sorted(dumped["trigger"][key])
    return dumped
