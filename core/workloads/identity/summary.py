"""The figures of a finished job, for people."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from core.terminal.tables import screen_width, table_lines
from core.workloads.identity.workload import WORKLOAD


def summary_markdown(summary: Mapping[str, Any], out: str | None = None, report_url: str | None = None) -> str:
    """Write the summary as a short Markdown page.

    Args:
        out: the file of the answer, if one was asked for.
        report_url: where a browser finds the report, if it can be had there.
    """
    stages = "\n".join(
        f"| {stage} | {summary['batches'][stage]} | {spent:.2f} |" for stage, spent in summary["stages"].items()
    )
    notices = "\n".join(f"- {notice}" for notice in summary["notices"]) or "- none"
    commands = "\n".join(next_commands(summary, out))
    way_on = f"## Next\n\n```sh\n{commands}\n```\n\n" if commands else ""
    way_on += f"[The report]({report_url}), made when it is opened.\n\n" if report_url else ""
    written = "written to the database" if out is None else f"written to `{out}`"
    return (
        f"# {summary['rows']:,} records are {summary['entities']:,} entities\n\n"
        f"{summary['candidate_pairs']:,} pairs compared, {summary['matches']:,} accepted, "
        f"in {summary['seconds']:.1f} s ({summary['rows_per_s']:,.0f} records/s, "
        f"{summary['peak_rss_mb']:,.0f} MiB at most); {written}.\n\n"
        f"{recall_words(summary)}.\n\n"
        f"{way_on}"
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
    """Print `summary_lines` at once, as wide as the screen."""
    sys.stdout.write("\n".join(summary_lines(summary, out, screen_width())) + "\n")


def summary_lines(summary: Mapping[str, Any], out: str | None, width: int) -> list[str]:
    """What was found, how long each stage took, what was left out, and what to do with the answer."""
    stages = [
        {"stage": stage, "batches": summary["batches"][stage], "seconds": f"{seconds:,.2f}"}
        for stage, seconds in summary["stages"].items()
    ]
    held = (
        f"{summary['peak_memory_mb']:,.0f} MB" if "peak_memory_mb" in summary else f"{summary['peak_rss_mb']:,.0f} MiB"
    )
    return [
        f"{summary['rows']:,} records are {summary['entities']:,} entities: "
        f"{summary['candidate_pairs']:,} pairs compared, {summary['matches']:,} accepted.",
        *(table_lines(stages, width, figures=("seconds",)) if stages else []),
        f"{summary['seconds']:,.1f} s, {summary['rows_per_s']:,.0f} records/s, {held} of memory at most",
        recall_words(summary),
        *_occasional_lines(summary),
        *([f"written: {out}"] if out is not None else []),
        *(f"next: {command}" for command in next_commands(summary, out)),
    ]


def _occasional_lines(summary: Mapping[str, Any]) -> list[str]:
    """What not every job has to say."""
    said = []
    if model := summary.get("model"):
        drift = model["drift"]
        far = f", drift at most {drift['worst_psi']:.2f} (field {drift['worst_field']})" if drift else ""
        said.append(f"model: {model['file']}{far}")
    if changes := summary.get("changes"):
        said.append("entities: " + ", ".join(f"{changes[kind]:,} {kind}" for kind in sorted(changes)))
    said += [f"note: {notice}" for notice in summary["notices"]]
    if summary["quarantined"]:
        said.append(f"{summary['quarantined']:,} bad rows were set aside")
    return said


def recall_words(summary: Mapping[str, Any]) -> str:
    """How many of the matches were found, as the run estimates it, in a sentence."""
    recall = summary["recall"]
    if recall["recall_estimate"] is None:
        return "recall: not known; no pair was accepted, so nothing tells how many matches were missed"
    missed = f"{recall['missed_estimate']:,.0f} in pairs that no pass made"
    if "recall_low" not in recall:
        # A job of an older version did not say what was found.
        compared = 100 * recall["recall_estimate"]
        return f"recall: an estimated {compared:.1f} % of all matches were compared; about {missed}"
    share, low, high = (100 * recall[f"recall_{name}"] for name in ("estimate", "low", "high"))
    return (
        f"recall: an estimated {share:.1f} % of all matches were found, likely {low:.1f} to {high:.1f} %; about "
        f"{recall['rejected_estimate']:,.0f} are in pairs not accepted, {missed}"
    )


def next_commands(summary: Mapping[str, Any], out: str | None) -> list[str]:
    """What can be done with the answer: of a file, or of the job that a queue keeps. Nothing without either."""
    if out is None and "job_id" not in summary:
        return []
    if out is None:
        return [way.format(job=summary["job_id"]) for way in WORKLOAD.ways_on]
    report = shlex.quote(str(Path(out).with_suffix(".html")))
    return [f"headrace report {shlex.quote(out)} --out {report}", f"headrace explain ID1 ID2 --of {shlex.quote(out)}"]
