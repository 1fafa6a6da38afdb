"""What a run leaves to be seen in the Prefect UI."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, acreate_table_artifact

from core.linkage.ports import Stage
from core.linkage.report import batch_rows, summary_markdown
from core.linkage.session import JobSession


async def stage_done(session: JobSession, stage: Stage) -> None:
    """Show how far the job is."""
    await acreate_progress_artifact(
        session.share_done(stage), key=f"job-{session.job_id}-progress", description=f"stage {stage} is done"
    )


async def job_done(session: JobSession, summary: dict[str, Any]) -> None:
    """Show the figures of the job and its batches."""
    await acreate_markdown_artifact(summary_markdown(summary), key=f"job-{session.job_id}-summary")
    await acreate_table_artifact(batch_rows(session.job), key=f"job-{session.job_id}-batches")
