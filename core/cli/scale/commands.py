"""`headrace scale`: how many consumers a flow gets, why, and what rules would have cost."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.scale import simulate
from core.terminal.decisions import teller
from core.terminal.options import AsJson
from core.terminal.signals import told_to_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runtime import Runtime
    from core.scaling.policy import Policy
    from core.scaling.ports import Actuator


class On(StrEnum):
    """What is scaled."""

    processes = "processes"
    deployment = "deployment"
    prefect = "prefect"


class What(StrEnum):
    """What a flow's depth is counted in."""

    batch = "batch"
    record = "record"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Consumers by queue depth.", no_args_is_help=True)
    group.callback()(_group)
    group.command("run")(run)
    group.command("explain")(explain)
    simulate.register(group)
    app.add_typer(group, name="scale")


def _group() -> None:
    """Consumers by queue depth: run, explain, simulate, record."""


def run(
    flow: Annotated[str, typer.Option("--flow", help="Flow whose consumers are scaled.")],
    on: Annotated[On, typer.Option("--on", help="What is scaled.")] = On.processes,
    handler: Annotated[
        str | None, typer.Option("--handler", help="module:function, handed to the consumers started here.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The Deployment of Kubernetes, or of Prefect (flow/deployment).")
    ] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", help="Namespace of the Deployment.")] = None,
    kind: Annotated[
        What, typer.Option("--kind", help="batch: consumers come and go; record: one always, 100 records each.")
    ] = What.batch,
    least: Annotated[int | None, typer.Option("--min", min=0, help="Consumers at least.")] = None,
    most: Annotated[int | None, typer.Option("--max", min=1, help="Consumers at most.")] = None,
    drain: Annotated[
        float | None, typer.Option("--drain-seconds", min=1, help="Within which a backlog should be done.")
    ] = None,
    oldest: Annotated[
        float | None, typer.Option("--oldest-seconds", min=0, help="Age of the oldest above which one more comes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a decision.")] = False,
) -> None:
    """Keep as many consumers as the queue needs, until SIGTERM or Ctrl-C; then they finish their batches.

    Woken by new work, and every HEADRACE_SCALING__TICK_S seconds. Of several autoscalers of a flow one acts.

    Example: headrace scale run --flow survey --handler jobs.survey:score --max 4
    """
    import json
    from contextlib import ExitStack, closing

    from core.queue.store import flows
    from core.queue.store.wake import Wake
    from core.runtime import open_runtime
    from core.scaling.controller import Aim, Controller, Loop
    from core.terminal.become_flow import become_flow
    from core.terminal.tables import emit

    policy = policy_of(kind.value, least, most, drain, oldest)
    if on is On.prefect:
        bounds = {"min_consumers": least, "max_consumers": most, "drain_target_s": drain, "oldest_s": oldest}
        said = {"flow_name": flow, "deployment": name, "kind": kind.value} | bounds
        request = json.dumps({key: value for key, value in said.items() if value is not None})
        become_flow("flows.autoscale", [request, "--forever", *["--json"] * as_json])
    with open_runtime() as runtime:
        flows.require_known(runtime.db, flow)
        settings = runtime.settings
        actuator, close = _actuator(on, runtime, flow, policy, (handler, name, namespace))
        aim = Aim(flow, policy, settings.queue.batch_rows, settings.scaling.retain_days)
        controller = Controller(runtime.db, aim, actuator, runtime.worker_id)
        with ExitStack() as ends:
            ends.callback(close)
            wake = ends.enter_context(closing(Wake(runtime.db, settings.queue, [flow])))
            loop = Loop(controller, wake, settings.scaling.tick_s, teller(flow, as_json=as_json))
            ends.enter_context(told_to_end(loop.stop))
            loop.run()
    if not as_json:
        emit("ended", [], as_json=False, empty=f"{flow}: no longer scaled by this process")


def policy_of(kind: str, least: int | None, most: int | None, drain: float | None, oldest: float | None) -> Policy:
    """The usual policy of a kind, with what was said instead. Raises ConfigError."""
    from core.scaling.policy import for_batches, for_records

    said = {"min_consumers": least, "max_consumers": most, "drain_target_s": drain, "oldest_s": oldest}
    changed: dict[str, Any] = {field: value for field, value in said.items() if value is not None}
    return for_records(**changed) if kind == "record" else for_batches(**changed)


def _actuator(
    on: On, runtime: Runtime, flow: str, policy: Policy, said: tuple[str | None, str | None, str | None]
) -> tuple[Actuator, Callable[[], None]]:
    from core.errors import ConfigError
    from core.scaling.kubectl import Deployment, DeploymentScaler
    from core.scaling.processes import IDLE_EXIT_S, Command, ProcessPool

    handler, name, namespace = said
    if on is On.deployment:
        if name is None:
            raise ConfigError("which Deployment? name it with --name")
        return DeploymentScaler(Deployment(name, namespace)), lambda: None
    stays = policy.kind == "record"
    command = Command(flow, handler, None if stays else IDLE_EXIT_S)
    pool = ProcessPool(runtime.db, command.line(), stops_working=stays, grace_s=command.grace_s)
    return pool, pool.close


def explain(
    flow: Annotated[str | None, typer.Option("--flow", help="Only decisions over this flow.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The last decisions of autoscalers: what they saw, what they wanted and why, what was done.

    Example: headrace scale explain --flow survey --limit 5
    """
    from dataclasses import asdict

    from core.queue.store.flows import require_known
    from core.runtime import open_runtime
    from core.scaling import decision_log
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        found = decision_log.last(runtime.db, flow, limit)
        if not found and flow is not None:
            require_known(runtime.db, flow)
    if as_json:
        emit("decisions", [asdict(one) for one in found], as_json=True)
        return
    rows = [
        {
            "at": one.decided_at.astimezone().strftime("%m-%d\N{NO-BREAK SPACE}%H:%M:%S"),
            "flow": one.flow_name,
            "active": one.working + one.starting,
            "desired": one.desired,
            "why": one.reason if one.error is None else f"{one.reason}; not brought about: {one.error}",
        }
        for one in found
    ]
    emit("decisions", rows, as_json=False, empty="no decisions yet: `headrace scale run` makes them")
