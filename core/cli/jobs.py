# budget: a command has as many parameters as it has options
"""`headrace jobs`: submissions, their stages and batches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from core.queue.producers.backfill import Seen
    from core.runtime import Runtime

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many lines.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Jobs: list, show, pause, cancel; backfill; compare answers.",
        invoke_without_command=True,
    )
    group.callback()(jobs)
    for command in (show, pause, resume, cancel, backfill, diff, rollback):
        group.command(command.__name__)(command)
    app.add_typer(group, name="jobs")


def jobs(context: typer.Context, limit: Limit = 20, as_json: AsJson = False) -> None:
    """The newest jobs first.

    Example: headrace jobs --limit 5
    """
    if context.invoked_subcommand is not None:
        return
    from core.cli.tables import emit
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = runtime.queue.jobs(limit)
    rows = [
        {
            "job": job.job_id,
            "flow": job.flow_name,
            "status": job.status,
            "key": job.job_key,
            "created": job.created_at,
            "finished": job.finished_at,
        }
        for job in found
    ]
    emit("jobs", rows, as_json=as_json, empty="no jobs yet")


def show(
    job: Annotated[str, typer.Argument(help="Job id or job key.")], limit: Limit = 50, as_json: AsJson = False
) -> None:
    """One job: its stages with their progress, how attempts ended, and the batches that are live.

    Example: headrace jobs show 3
    """
    from dataclasses import asdict

    from core.cli.tables import emit
    from core.errors import ConfigError
    from core.queue import views
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = runtime.queue.find_job(int(job) if job.isdecimal() else job)
        if found is None:
            raise ConfigError(f"there is no job {job}; `headrace jobs` lists them")
        stages = [{**asdict(stage), "drained": stage.drained} for stage in runtime.queue.stages(found.job_id)]
        attempts, batches = views.of_job(runtime.db, found.job_id, limit)
    if as_json:
        emit("", [{"job": asdict(found), "stages": stages, "attempts": attempts, "batches": batches}], as_json=True)
        return
    print(f"job {found.job_id} of {found.flow_name}: {found.status}")
    emit("stages", stages, as_json=False, empty="no stage was opened")
    emit("attempts", attempts, as_json=False, empty="no attempt has ended")
    emit("live batches", batches, as_json=False, empty="no batch is live")


JobName = Annotated[str, typer.Argument(help="Job id or job key.")]


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


def diff(
    job_a: Annotated[str, typer.Argument(metavar="A", help="Job id or job key.")],
    job_b: Annotated[str, typer.Argument(metavar="B", help="Job id or job key of the later one.")],
    as_json: AsJson = False,
) -> None:
    """What became of the entities of job A in job B: ids gained and lost, entities merged and split, records moved.

    Example: headrace jobs diff 3 7
    """
    from dataclasses import asdict

    from core.cli.tables import emit
    from core.linkage import published
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = published.diff(runtime.db, _job_id(runtime, job_a), _job_id(runtime, job_b))
    emit("diff", [asdict(found)], as_json=as_json)


def rollback(job: JobName, as_json: AsJson = False) -> None:
    """Send readers back to the answer of an earlier job; what later ones wrote stays, so the way forth is open too.

    Example: headrace jobs rollback 3
    """
    from dataclasses import asdict

    from core.cli.tables import emit
    from core.linkage import published
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = published.rollback(runtime.db, _job_id(runtime, job))
    emit("published", [asdict(each) for each in found], as_json=as_json)


def _job_id(runtime: Runtime, job: str) -> int:
    from core.errors import ConfigError

    found = runtime.queue.find_job(int(job) if job.isdecimal() else job)
    if found is None:
        raise ConfigError(f"there is no job {job}; `headrace jobs` lists them")
    return int(found.job_id)


def _steer(job: str, verb: Literal["pause", "resume", "cancel"], *, as_json: bool) -> None:
    from dataclasses import asdict

    from core.cli.tables import emit, words
    from core.errors import ConfigError
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = runtime.queue.find_job(int(job) if job.isdecimal() else job)
        if found is None:
            raise ConfigError(f"there is no job {job}; `headrace jobs` lists them")
        steer = {
            "pause": runtime.queue.pause_job,
            "resume": runtime.queue.resume_job,
            "cancel": runtime.queue.cancel_job,
        }
        done = steer[verb](found.job_id)
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
    from core.cli.progress import rows_progress
    from core.cli.tables import emit
    from core.errors import ConfigError
    from core.queue.producers.backfill import Hands, Span, Throttle, run_backfill
    from core.runtime import open_runtime

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
