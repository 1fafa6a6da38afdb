"""`headrace queue flows` and `headrace queue set`: by which policy the batches of a flow are handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.queue.store.flows import Registered

NO_LIMIT = "none"


def flows(
    flow: Annotated[str | None, typer.Argument(help="Flow name; without it all flows.")] = None, as_json: AsJson = False
) -> None:
    """Policies, one line a flow and tenant: limits, share, attempts, work queue and needs, and who is paused.

    Example: headrace queue flows --json
    """
    from core.queue.store import flows as policies
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        found = policies.registered(runtime.db, flow)
        if not found and flow is not None:
            policies.require_known(runtime.db, flow)
    rows = [_line(one) if as_json else _words(_line(one)) for one in found]
    emit("flows", rows, as_json=as_json, empty="no flow is registered")


def set_policy(
    flow: Annotated[str, typer.Argument(help="Flow whose policy changes.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Tenant of the flow.")] = "default",
    max_running: Annotated[
        str | None, typer.Option("--max-running", help="Batches at a time, exactly; or none.")
    ] = None,
    rows_per_s: Annotated[str | None, typer.Option("--rows-per-s", help="Rows handed out a second; or none.")] = None,
    burst_rows: Annotated[
        str | None, typer.Option("--burst-rows", help="Rows that may be saved up; none: one second's worth.")
    ] = None,
    weight: Annotated[float | None, typer.Option("--weight", help="Share against others that wait.")] = None,
    depth_limit: Annotated[
        str | None, typer.Option("--depth-limit", help="Rows that may wait before enqueue says QueueFull; or none.")
    ] = None,
    max_attempts: Annotated[int | None, typer.Option("--max-attempts", help="Attempts of a batch or row.")] = None,
    max_runtime_s: Annotated[int | None, typer.Option("--max-runtime-s", help="Seconds an attempt may take.")] = None,
    backoff_s: Annotated[float | None, typer.Option("--backoff-s", help="Pause before the second attempt.")] = None,
    splittable: Annotated[
        bool | None, typer.Option("--splittable/--whole", help="May new batches be halved when attempts are used up?")
    ] = None,
    work_queue: Annotated[str | None, typer.Option("--work-queue", help="Consumers of this queue take it.")] = None,
    needs: Annotated[str | None, typer.Option("--needs", help="Capabilities, by commas; or none.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Register the flow, or the tenant, if it is not there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change the policy of a flow; what is not named stays. It holds from the next claim or enqueue on.

    A program that calls register_flow puts its own policy in place again; ensure_flow leaves this one.

    Example: headrace queue set survey --max-running 4 --rows-per-s 50000 --weight 2
    """
    from core.errors import ConfigError
    from core.queue.store import flows as policies
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    plain: dict[str, Any] = {"weight": weight, "max_attempts": max_attempts, "max_runtime_s": max_runtime_s}
    plain |= {"backoff_s": backoff_s, "splittable": splittable, "work_queue": work_queue, "needs": _names(needs)}
    limits = {
        "max_running": _limit("--max-running", max_running, int, "a whole number"),
        "rows_per_s": _limit("--rows-per-s", rows_per_s, float, "a number"),
        "burst_rows": _limit("--burst-rows", burst_rows, int, "a whole number"),
        "depth_limit_rows": _limit("--depth-limit", depth_limit, int, "a whole number"),
    }
    fields = {name: value for name, value in plain.items() if value is not None}
    fields |= {name: found for name, (given, found) in limits.items() if given}
    if not fields and not new:
        raise ConfigError("nothing to change: name a limit, such as --max-running 4; `headrace queue flows` shows them")
    with open_runtime() as runtime:
        policies.change(runtime.db, flow, tenant, fields, new=new)
        found = [one for one in policies.registered(runtime.db, flow) if one.policy.tenant_id == tenant]
    emit("flows", [_line(one) if as_json else _words(_line(one)) for one in found], as_json=as_json)


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text == NO_LIMIT else tuple(one.strip() for one in text.split(","))


def _limit(option: str, text: str | None, number: Callable[[str], float], kind: str) -> tuple[bool, float | None]:
    """Whether it was given, and the limit; None: no limit."""
    from core.errors import ConfigError

    if text is None or text == NO_LIMIT:
        return text is not None, None
    try:
        return True, number(text)
    except ValueError:
        raise ConfigError(f"{option} {text!r} is neither {kind} nor {NO_LIMIT}") from None


def _line(one: Registered) -> dict[str, Any]:
    policy = one.policy
    return {
        "flow": policy.flow_name,
        "tenant": policy.tenant_id,
        "work_queue": policy.work_queue,
        "needs": list(policy.needs),
        "max_running": policy.max_running,
        "rows_per_s": policy.rows_per_s,
        "burst_rows": policy.burst_rows,
        "weight": policy.weight,
        "depth_limit_rows": policy.depth_limit_rows,
        "max_attempts": policy.max_attempts,
        "max_runtime_s": policy.max_runtime_s,
        "backoff_s": policy.backoff_s,
        "splittable": policy.splittable,
        "paused": one.paused,
        "paused_reason": one.paused_reason,
        "bad_batches": one.bad_batches,
    }


def _words(line: dict[str, Any]) -> dict[str, Any]:
    """For the table: limits that are none say so, as they are given."""
    limits = ("max_running", "rows_per_s", "burst_rows", "depth_limit_rows")
    said = {name: NO_LIMIT for name in limits if line[name] is None}
    return line | said | {"needs": ", ".join(line["needs"]) or NO_LIMIT}
