"""`headrace queue`: what waits, what runs, what died, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.cli.queue.policy import flows, set_policy
from core.cli.queue.retain import retain
from core.cli.queue.top import top
from core.terminal.options import AsJson, Limit

if TYPE_CHECKING:
    from core.queue.leases.dead_letters import Which

# Of a live batch for people; --json has the rest.
SHOWN = ("batch_id", "flow_name", "job_id", "stage", "state", "attempt", "n_items", "worker_id")

Flow = Annotated[str | None, typer.Option("--flow", help="Only this flow.")]
ErrorClass = Annotated[str | None, typer.Option("--error-class", help="Only letters of this class.")]
State = Literal["scheduled", "ready", "running", "paused"]
Fault = Literal["transient", "permanent", "poison"]
FaultOption = Annotated[Fault | None, typer.Option("--fault", help="Only letters of this fault.")]
OfJob = Annotated[int | None, typer.Option("--job", min=1, max=2**63 - 1, help="Only letters of this job.")]
WithPayload = Annotated[bool, typer.Option("--payload", help="Show payloads: this prints row data.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The queue: depth, policies, batches, dead letters.", no_args_is_help=True)
    for command in (status, flows, peek, dead, redrive, discard, pause, resume, retain):
        group.command(command.__name__)(command)
    group.command("set")(set_policy)
    group.command("top")(top)
    app.add_typer(group, name="queue")


def status(
    flow: Annotated[str | None, typer.Argument(help="Flow name; without it all flows.")] = None, as_json: AsJson = False
) -> None:
    """Records and batches per flow: pending, processing, completed, failed, depth and age.

    Example: headrace queue status --json
    """
    from core.queue import views
    from core.queue.records import records
    from core.queue.store.flows import require_known
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        if flow is not None:
            require_known(runtime.db, flow)
        rows = []
        for name, counts in records.status(runtime.db, flow).items():
            depth = views.now(runtime.db, name)
            rows.append(
                {
                    "flow": name,
                    "pending": counts.pending,
                    "processing": counts.processing,
                    "completed": counts.completed,
                    "failed": counts.failed,
                    "ready_batches": depth.ready_batches,
                    "running_batches": depth.running_batches,
                    "scheduled_batches": depth.scheduled_batches,
                    "expired_batches": depth.expired_batches,
                    "waiting_retries": depth.waiting_retries,
                    "oldest_age_s": depth.oldest_age_s,
                }
            )
    shown = rows if as_json else [_for_people(row) for row in rows]
    title = "rows of each flow, and its live batches"
    emit(title, shown, as_json=as_json, empty="no flow is registered")


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """Kinds of batches that there are, in words instead of a column each."""
    from core.terminal.spans import span_words
    from core.terminal.tables import JOINED

    kinds = {kind: row[f"{kind}_batches"] for kind in ("ready", "running", "scheduled", "expired")}
    kinds["retries waiting"] = row["waiting_retries"]
    return {
        **{name: row[name] for name in ("flow", "pending", "processing", "completed", "failed")},
        "batches": ", ".join(f"{n:,}{JOINED}{kind}" for kind, n in kinds.items() if n) or "none",
        "oldest": span_words(row["oldest_age_s"]) if row["oldest_age_s"] else "",
    }


def peek(
    flow: Flow = None,
    state: Annotated[State | None, typer.Option("--state", help="Only batches in this state.")] = None,
    limit: Limit = 20,
    payload: WithPayload = False,
    as_json: AsJson = False,
) -> None:
    """Live batches in the order in which they are claimed: ids and states, payloads only on demand.

    Example: headrace queue peek --flow survey --state ready --payload
    """
    from core.queue import views as looking
    from core.queue.store.flows import require_known
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        heads = looking.headers(runtime.db, flow, state, limit)
        if not heads and flow is not None:
            require_known(runtime.db, flow)
        if not (payload and as_json):
            shown = heads if as_json else [{name: head[name] for name in SHOWN} for head in heads]
            emit("batches", shown, as_json=as_json, empty="no live batches")
        if payload:
            rows = looking.payloads(runtime.db, heads, limit)
            emit("payloads", rows, as_json=as_json, empty="no items: these batches have a source")


def dead(
    flow: Flow = None,
    error_class: ErrorClass = None,
    fault: FaultOption = None,
    job: OfJob = None,
    each: Annotated[bool, typer.Option("--each", help="One line a letter instead of one a class.")] = False,
    limit: Limit = 20,
    payload: WithPayload = False,
    as_json: AsJson = False,
) -> None:
    """Dead letters by error class; with any filter but --flow, or --each, one by one: worker, attempts, stage, reason.

    Example: headrace queue dead --flow survey --each
    """
    from dataclasses import asdict

    from core.queue.leases import dead_letters as letters
    from core.queue.store.flows import require_known
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        which = _which(error_class, fault, job)
        if each or payload or which != letters.Which():
            found = letters.letters(runtime.db, which, limit, flow_name=flow, payload=payload)
            rows = [asdict(letter) for letter in found]
            if not payload:
                rows = [{key: value for key, value in row.items() if key != "payload"} for row in rows]
        else:
            rows = [asdict(group) for group in letters.groups(runtime.db, flow)]
        if not rows and flow is not None:
            # "None" for a misspelt name would be read as good news.
            require_known(runtime.db, flow)
    emit("dead letters", rows, as_json=as_json, empty="no dead letters")


def redrive(
    flow: Annotated[str, typer.Argument(help="Flow whose dead letters run again.")],
    error_class: ErrorClass = None,
    fault: FaultOption = None,
    job: OfJob = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many letters.")] = 100_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would run again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters back to work with their attempts forgotten; the next worker runs them.

    Example: headrace queue redrive survey --error-class TimeoutError --dry-run
    """
    from dataclasses import asdict

    from core.queue.leases import dead_letters as letters
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    which = _which(error_class, fault, job)
    with open_runtime() as runtime:
        if dry_run:
            rows = [asdict(one) for one in letters.would_redrive(runtime.db, flow, which)]
            emit("would run again", rows, as_json=as_json, empty="no dead letters fit")
            return
        n_items = letters.redrive(runtime.db, flow, which, limit)
    emit("redriven", [{"flow": flow, "items": n_items}], as_json=as_json)


def discard(
    flow: Annotated[str, typer.Argument(help="Flow whose dead letters are given up.")],
    error_class: ErrorClass = None,
    fault: FaultOption = None,
    job: OfJob = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many letters.")] = 100_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give dead letters up for good: their payloads are deleted, and their unique keys may be taken anew.

    Example: headrace queue discard survey --error-class ValueError --dry-run
    """
    from dataclasses import asdict

    from core.queue.leases import dead_letters as letters
    from core.queue.store.flows import require_known
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    which = _which(error_class, fault, job)
    with open_runtime() as runtime:
        if dry_run:
            found = letters.letters(runtime.db, which, limit, flow_name=flow)
            if not found:
                require_known(runtime.db, flow)
            rows = [{key: value for key, value in asdict(one).items() if key != "payload"} for one in found]
            emit("would be discarded", rows, as_json=as_json, empty="no dead letters fit")
            return
        n_items = letters.discard(runtime.db, flow, which, limit)
    emit("discarded", [{"flow": flow, "items": n_items}], as_json=as_json)


def _which(error_class: str | None, fault: Fault | None, job: int | None) -> Which:
    from core.queue.leases.dead_letters import Which

    return Which(error_class, fault, job)


def pause(
    flow: Annotated[str, typer.Argument(help="Flow that hands out no more batches.")],
    reason: Annotated[str, typer.Option("--reason", help="Shown to whoever asks why.")] = "paused by an operator",
) -> None:
    """Stop handing out batches of a flow; those that run may finish.

    Example: headrace queue pause survey --reason "new release"
    """
    from core.queue.store import flows as policies
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        policies.pause(runtime.db, flow, reason)
    print(f"{flow} is paused")


def resume(flow: Annotated[str, typer.Argument(help="Flow to start again.")]) -> None:
    """Hand out batches again, also after too many bad batches had paused the flow.

    Example: headrace queue resume survey
    """
    from core.queue.store import flows as policies
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        policies.resume(runtime.db, flow)
    print(f"{flow} hands out batches again")
