"""`headrace jobs`: submissions, their stages and batches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.terminal.options import AsJson, JobName, Limit

if TYPE_CHECKING:
    from datetime import datetime

    from core.queue.batches import Job, JobPlace, StageProgress
    from core.queue.producers.backfill import Seen

# Of a live batch for people; --json has the rest.
LIVE = ("batch_id", "stage", "partition_no", "state", "attempt", "n_items", "worker_id", "lease_s")


def register(group: typer.Typer) -> None:
    group.info.no_args_is_help = False
    group.callback(invoke_without_command=True)(jobs)
    for command in (show, pause, resume, cancel, backfill):
        group.command(command.__name__)(command)


def jobs(context: typer.Context, limit: Limit = 20, as_json: AsJson = False) -> None:
    """The newest jobs first: what each works on, its rows, how far it is, and how long it took or has taken.

    With --json also its flow and its key.

    Example: headrace jobs --limit 5
    """
    if context.invoked_subcommand is not None:
        return
    from datetime import UTC, datetime

    from core.queue.producers.jobs import newest, places
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        found = newest(runtime.db, limit)
        there = places(runtime.db, [job.job_id for job in found])
    now = datetime.now(UTC)
    rows = [_job_row(job, there.get(job.job_id), now) for job in found]
    emit("jobs", rows if as_json else [_for_people(row) for row in rows], as_json=as_json, empty="no jobs yet")


def _job_row(job: Job, place: JobPlace | None, now: datetime) -> dict[str, Any]:
    """Everything there is to say of a job in a list; `seconds` to its end, or until now."""
    return {
        "job": job.job_id,
        "flow": job.flow_name,
        "status": job.status,
        "key": job.job_key,
        "created": job.created_at,
        "finished": job.finished_at,
        "input": job.parameters.get("input"),
        "rows": None if place is None else place.rows,
        "stage": None if place is None else place.stage,
        "batches": None if place is None else place.batches,
        "batches_ended": None if place is None else place.ended,
        "seconds": round(((job.finished_at or now) - job.created_at).total_seconds(), 3),
    }


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """What fits a line: a file by its name, a job without one by its flow."""
    from core.terminal.spans import span_words

    done = row["status"] == "completed"
    at = "" if row["stage"] is None else f"{row['stage']} {row['batches_ended']}/{row['batches']}"
    return {
        "job": row["job"],
        "input": str(row["input"] or row["flow"]).rstrip("/").rpartition("/")[2],
        "status": row["status"].replace("_", " "),
        "rows": row["rows"],
        "progress": "done" if done else at,
        "time": span_words(row["seconds"]),
        "began": row["created"].astimezone().strftime("%m-%d\N{NO-BREAK SPACE}%H:%M"),
    }


def show(job: JobName, limit: Limit = 50, as_json: AsJson = False) -> None:
    """One job: its stages with their progress, how attempts ended, the batches that are live, and once it is done the
    commands that show what it found.

    Example: headrace jobs show 3
    """
    from dataclasses import asdict

    from core.queue import views
    from core.queue.producers.jobs import require
    from core.queue.producers.stages import progress
    from core.runtime import open_runtime
    from core.terminal.tables import cut, emit

    with open_runtime() as runtime:
        found = require(runtime.db, job)
        held = progress(runtime.db, found.job_id)
        stages = [{**asdict(stage), "drained": stage.drained, "state": stage.state} for stage in held]
        attempts, batches = views.of_job(runtime.db, found.job_id, limit)
    if as_json:
        emit("", [{"job": asdict(found), "stages": stages, "attempts": attempts, "batches": batches}], as_json=True)
        return
    print(f"job {found.job_id} of {cut(found.flow_name, 40)}: {found.status}")
    emit("stages", [_stage_words(stage) for stage in held], as_json=False, empty="no stage was opened")
    emit("attempts", attempts, as_json=False, empty="no attempt has ended")
    live = [{name: batch[name] for name in LIVE} for batch in batches]
    emit("live batches", live, as_json=False, empty="no batch is live")
    for way in _ways_on(found):
        print(f"next: {way}")


def _ways_on(job: Job) -> list[str]:
    """Commands that show what a job found; none before it is done."""
    from core.workloads import workloads

    if job.status != "completed":
        return []
    return [
        way.format(job=job.job_id) for each in workloads() if job.flow_name in each.handlers for way in each.ways_on
    ]


def _stage_words(stage: StageProgress) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "state": stage.state,
        "batches": f"{stage.done:,}/{stage.total:,}",
        "rows": stage.rows,
        "rows_done": stage.rows_done,
        "retries": stage.waiting,
        "dead": stage.dead,
    }


def pause(job: JobName, as_json: AsJson = False) -> None:
    """Put a job aside: what waits is paused, what runs may finish. `resume` takes it up again.

    Example: headrace jobs pause 3
    """
    _steer(job, "pause", as_json=as_json)


def resume(job: JobName, as_json: AsJson = False) -> None:
    """Take up a paused job; what was scheduled keeps its time.

    Example: headrace jobs resume 3
    """
    _steer(job, "resume", as_json=as_json)


def cancel(job: JobName, as_json: AsJson = False) -> None:
    """End a job for good: what waits is taken out, what runs loses its lease, results that are there stay.

    Example: headrace jobs cancel 3
    """
    _steer(job, "cancel", as_json=as_json)


def _steer(job: str, verb: Literal["pause", "resume", "cancel"], *, as_json: bool) -> None:
    from dataclasses import asdict

    from core.queue.producers import jobs as steering
    from core.runtime import open_runtime
    from core.terminal.tables import emit, words

    with open_runtime() as runtime:
        found = steering.require(runtime.db, job)
        steer = {"pause": steering.pause, "resume": steering.resume, "cancel": steering.cancel}[verb]
        done = steer(runtime.db, found.job_id)
    if as_json:
        emit("", [{"was": found.status, **asdict(done)}], as_json=True)
        return
    moved = f"{words(done.batches)} batches with {words(done.rows)} rows"
    if found.status == done.status:
        print(f"job {done.job_id} was {done.status} already")
    elif verb == "pause":
        print(f"job {done.job_id} is paused: {moved} wait, {words(done.running)} running batches may finish")
    elif verb == "resume":
        print(f"job {done.job_id} is running: {moved} are handed out again")
    else:
        print(
            f"job {done.job_id} is cancelled: {moved} were taken out, {words(done.running)} of the batches were running"
        )


def backfill(
    flow: Annotated[str, typer.Option("--flow", help="Flow that works on the range.")],
    lo: Annotated[int, typer.Option("--lo", help="First key.")],
    hi: Annotated[int, typer.Option("--hi", help="The key after the last.")],
    table: Annotated[str | None, typer.Option("--table", help="Table whose keys these are.")] = None,
    uri: Annotated[str | None, typer.Option("--uri", help="File whose rows these are; instead of --table.")] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Keys a batch.")] = 10_000,
    rows_per_s: Annotated[
        float | None, typer.Option("--rows-per-s", help="Hand in at most so many; unset: any.")
    ] = None,
    ahead: Annotated[int, typer.Option("--ahead", min=1, help="At most so many batches live at a time.")] = 20,
    key: Annotated[
        str | None, typer.Option("--key", help="Job key; unset: made of flow, source, range, batch.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Run a range again that is done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hand a range of keys to a flow, in batches, slowly; consumers do the work. After Ctrl-C the same command goes on.

    Example: headrace jobs backfill --flow survey --table answers --lo 0 --hi 5000000 --batch 10000 --rows-per-s 50000
    """
    from core.errors import ConfigError
    from core.queue.producers.backfill import Hands, Span, Throttle, run_backfill
    from core.runtime import open_runtime
    from core.terminal.progress import rows_progress
    from core.terminal.tables import emit

    if (table is None) == (uri is None):
        raise ConfigError("give either --table or --uri")
    kind: Literal["table", "uri"] = "uri" if table is None else "table"
    span = Span(flow, kind, table or uri or "", lo, hi, batch)
    last: list[Seen] = []
    with open_runtime() as runtime, rows_progress() as move:

        def look(seen: Seen) -> None:
            last[:] = [seen]
            move(f"job {seen.job.job_id}", seen.ended, span.n_rows)

        try:
            seen = run_backfill(runtime.db, span, Throttle(ahead, rows_per_s), Hands(look), job_key=key, rerun=again)
        except KeyboardInterrupt:
            _say_how_to_go_on(last, lo)
            raise typer.Exit(130) from None
    row = {"job": seen.job.job_id, "status": seen.job.status, "issued": seen.issued, "ended": seen.ended}
    emit("backfill", [row], as_json=as_json)
    if seen.job.status != "completed":
        raise typer.Exit(1)


def _say_how_to_go_on(last: list[Seen], lo: int) -> None:
    if not last:
        print("stopped before anything was handed in", file=sys.stderr)
        return
    seen = last[0]
    print(
        f"stopped at key {lo + seen.issued}: what was handed in is job {seen.job.job_id}; the same command goes "
        f"on from there, `headrace jobs cancel {seen.job.job_id}` takes it back",
        file=sys.stderr,
    )
