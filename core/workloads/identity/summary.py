"""The figures of a finished job, for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table


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


def show(summary: Mapping[str, Any], *, as_json: bool, out: str | None) -> None:
    """Print the figures, for programs or for people."""
    if as_json:
        sys.stdout.write(orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        print_summary(summary, out)


def print_summary(summary: Mapping[str, Any], out: str | None) -> None:
    """Say what was found, how long each stage took and what was left out."""
    console = Console()
    console.print(
        f"[bold]{summary['rows']:,}[/] records are [bold]{summary['entities']:,}[/] entities: "
        f"{summary['candidate_pairs']:,} pairs compared, {summary['matches']:,} accepted."
    )
    table = Table("stage", "batches", "seconds", box=None, header_style="dim")
    for stage, seconds in summary["stages"].items():
        table.add_row(stage, f"{summary['batches'][stage]:,}", f"{seconds:,.2f}")
    console.print(table)
    held = (
        f"{summary['peak_memory_mb']:,.0f} MB" if "peak_memory_mb" in summary else f"{summary['peak_rss_mb']:,.0f} MiB"
    )
    console.print(f"{summary['seconds']:,.1f} s, {summary['rows_per_s']:,.0f} records/s, {held} of memory at most")
    if model := summary.get("model"):
        drift = model["drift"]
        far = f", drift at most {drift['worst_psi']:.2f} (field {drift['worst_field']})" if drift else ""
        console.print(f"model: {model['file']}{far}", highlight=False, soft_wrap=True)
    if changes := summary.get("changes"):
        console.print(
            "entities: " + ", ".join(f"{changes[kind]:,} {kind}" for kind in sorted(changes)), highlight=False
        )
    for notice in summary["notices"]:
        console.print(f"[dim]note: {notice}[/]", highlight=False, soft_wrap=True)
    if summary["quarantined"]:
        console.print(f"[yellow]{summary['quarantined']:,} bad rows were set aside[/]")
    if out is not None:
        console.print(f"written: {out}", highlight=False, soft_wrap=True)
