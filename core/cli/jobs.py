"""`headrace jobs`: submissions, their stages and batches."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many lines.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Jobs: list them; show one with its stages and batches.", invoke_without_command=True)
    group.callback()(jobs)
    group.command("show")(show)
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
    from core.queue import peek
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = runtime.queue.find_job(int(job) if job.isdecimal() else job)
        if found is None:
            raise ConfigError(f"there is no job {job}; `headrace jobs` lists them")
        stages = [{**asdict(stage), "drained": stage.drained} for stage in runtime.queue.stages(found.job_id)]
        attempts, batches = peek.of_job(runtime.db, found.job_id, limit)
    if as_json:
        emit("", [{"job": asdict(found), "stages": stages, "attempts": attempts, "batches": batches}], as_json=True)
        return
    print(f"job {found.job_id} of {found.flow_name}: {found.status}")
    emit("stages", stages, as_json=False, empty="no stage was opened")
    emit("attempts", attempts, as_json=False, empty="no attempt has ended")
    emit("live batches", batches, as_json=False, empty="no batch is live")
