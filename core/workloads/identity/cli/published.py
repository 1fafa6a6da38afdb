"""`headrace jobs diff|rollback`: the answers of two jobs, and which one readers see."""

from __future__ import annotations

from typing import Annotated

import typer

from core.terminal.options import AsJson, JobName


def register(group: typer.Typer) -> None:
    """Add the commands to the group `jobs`."""
    group.command("diff")(diff)
    group.command("rollback")(rollback)


def diff(
    job_a: Annotated[str, typer.Argument(metavar="A", help="Job id or job key.")],
    job_b: Annotated[str, typer.Argument(metavar="B", help="Job id or job key of the later one.")],
    as_json: AsJson = False,
) -> None:
    """What became of the entities of job A in job B: ids gained and lost, entities merged and split, records moved.

    Example: headrace jobs diff 3 7
    """
    from dataclasses import asdict

    from core.queue.producers.jobs import require
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.identity.publishing import published

    with open_runtime() as runtime:
        found = published.diff(runtime.db, require(runtime.db, job_a).job_id, require(runtime.db, job_b).job_id)
    emit("diff", [asdict(found)], as_json=as_json)


def rollback(job: JobName, as_json: AsJson = False) -> None:
    """Send readers back to the answer of an earlier job; what later ones wrote stays, so the way forth is open too.

    Example: headrace jobs rollback 3
    """
    from dataclasses import asdict

    from core.queue.producers.jobs import require
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.identity.publishing import published

    with open_runtime() as runtime:
        found = published.rollback(runtime.db, require(runtime.db, job).job_id)
    emit("published", [asdict(each) for each in found], as_json=as_json)
