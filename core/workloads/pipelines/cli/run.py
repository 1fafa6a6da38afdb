"""`headrace pipeline run`: one run, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from core.terminal.options import AsJson
from core.workloads.pipelines.cli.reached import NameOrSpec, reached, version_of

if TYPE_CHECKING:
    from core.workloads.pipelines.running import Report


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("run")(run)


def run(pipeline: NameOrSpec, as_json: AsJson = False) -> None:
    """Run an approved pipeline once, in this process: read, compute, and publish rows and watermark in one transaction.

    A run that was killed has written nothing; the same command again reads the same rows. Exit 1 where a rule, drift or
    too many dead rows stopped it, 2 where it was refused: not approved, changed since, paused, or under way already.

    Example: headrace pipeline run orders_hourly --json
    """
    from datetime import UTC, datetime

    from core.errors import HeadraceError
    from core.workloads.pipelines.running import run_pipeline

    now = datetime.now(UTC).replace(tzinfo=None)
    try:
        with reached() as connections:
            report = run_pipeline(connections, version_of(connections, pipeline), now)
    except HeadraceError as error:
        if as_json:
            print(json.dumps({"pipeline": pipeline, "state": _state(error), "reason": error.message}))
        raise
    if as_json:
        print(json.dumps(report.facts()))
    else:
        _show(report)


def _state(error: Exception) -> str:
    from core.errors import HeadraceError
    from core.pipelines.compiling.held import StoppedRun

    if isinstance(error, StoppedRun):
        return "stopped"
    return "refused" if isinstance(error, HeadraceError) and error.exit_code == 2 else "failed"


def _show(report: Report) -> None:
    from core.terminal.tables import emit

    emit(
        f"{report.pipeline} version {report.version}: published as run {report.run_id}",
        [{"rows": fate, "count": count} for fate, count in report.rows.items()],
        as_json=False,
    )
    if report.dead:
        dead = [{"step": one.step, "column": one.column, "class": one.fault, "rows": one.rows} for one in report.dead]
        emit("dead rows", dead, as_json=False)
    if report.checks:
        said = [{"step": one.step, "rule": one.rule, "passed": one.passed, "rows": one.rows} for one in report.checks]
        emit("rules", said, as_json=False)
