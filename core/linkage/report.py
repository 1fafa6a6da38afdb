"""The figures of a finished job, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.linkage.job import LinkageJob
from core.linkage.ports import STAGES

TABLE_ROWS_MAX = 200
"""More rows than this a table in the UI does not show well."""


def summary_markdown(summary: Mapping[str, Any]) -> str:
    """Write the summary as a short Markdown page."""
    stages = "\n".join(
        f"| {stage} | {summary['batches'][stage]} | {spent:.2f} |" for stage, spent in summary["stages"].items()
    )
    notices = "\n".join(f"- {notice}" for notice in summary["notices"]) or "- none"
    return (
        f"# {summary['rows']:,} records are {summary['entities']:,} entities\n\n"
        f"{summary['candidate_pairs']:,} pairs compared, {summary['matches']:,} accepted, "
        f"in {summary['seconds']:.1f} s ({summary['rows_per_s']:,.0f} records/s, "
        f"{summary['peak_rss_mb']:,.0f} MiB at most).\n\n"
        f"| stage | batches | seconds |\n|---|---|---|\n{stages}\n\n"
        f"## Notices\n\n{notices}\n"
    )


def batch_rows(job: LinkageJob) -> list[dict[str, Any]]:
    """List the batches, the slowest first, as many as the UI shows."""
    rows = [
        {"stage": stage, "batch": number, "items": found["items"], "seconds": found["seconds"]}
        for stage in STAGES
        for number, found in enumerate(job.outputs(stage))
    ]
    return sorted(rows, key=lambda row: -float(row["seconds"]))[:TABLE_ROWS_MAX]
