"""`headrace pipeline approve|history|pause|resume`: what may run, and what ran."""

from __future__ import annotations

import json

import typer

from core.terminal.options import AsJson, Limit
from core.workloads.pipelines.cli.files import text_of
from core.workloads.pipelines.cli.reached import Name, SpecFile, reached


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("approve")(approve)
    group.command("history")(history)
    group.command("pause")(pause)
    group.command("resume")(resume)


def approve(spec: SpecFile, as_json: AsJson = False) -> None:
    """Check a spec against what is there, keep it as a version that never changes, and let that run.

    In PRODUCTION (setting ENVIRONMENT) whoever wrote a version does not approve it: his approval keeps it, another
    person's lets it run. Columns of sources are kept with it; a source that differs later has drifted.

    Example: headrace pipeline approve orders.yaml
    """
    from core.pipelines.language.reading import read_spec
    from core.workloads.pipelines.preparing import columns_written, prepared
    from core.workloads.pipelines.state import versions

    text = text_of(spec)
    given = read_spec(text)
    with reached() as connections:
        checked = prepared(given, connections)
        who = versions.person(connections.settings, connections.warehouse)
        written, environment = text.decode(), connections.settings.environment
        number = versions.approve(connections.warehouse, written, columns_written(checked), who, environment)
    if as_json:
        print(json.dumps({"pipeline": given.pipeline, "version": number, "approved_by": who}))
    else:
        print(
            f"{given.pipeline} version {number} is approved by {who}: `headrace pipeline run {given.pipeline}` runs it"
        )


def history(name: Name, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show the last runs of a pipeline, the newest first: state, rows, and why one did not publish.

    Example: headrace pipeline history orders_hourly --limit 5
    """
    from core.database.queries import load, run
    from core.terminal.tables import emit
    from core.workloads.pipelines.state.versions import approved

    with reached() as connections, connections.warehouse.transaction() as conn:
        approved(conn, name)
        found = run(conn, load("pipelines")["pipeline_history"], {"name": name, "limit": limit})
    names = ("run_id", "version", "state", "started", "ended", "rows", "reason", "dead")
    runs = [dict(zip(names, row, strict=True)) for row in found]
    if not as_json:
        for one in runs:
            one["rows"] = ", ".join(f"{fate} {count:,}" for fate, count in one["rows"].items())
    emit(f"runs of {name}", runs, as_json=as_json, empty=f"{name} has not run yet")


def pause(name: Name, as_json: AsJson = False) -> None:
    """Let a pipeline not run until it is resumed; a run under way goes on.

    Example: headrace pipeline pause orders_hourly
    """
    from core.database.queries import load, run
    from core.workloads.pipelines.state.versions import approved, person

    with reached() as connections:
        who = person(connections.settings, connections.warehouse)
        with connections.warehouse.transaction() as conn:
            approved(conn, name)
            run(conn, load("pipelines")["pipeline_pause"], {"name": name, "paused_by": who})
    said = f"{name} is paused: `headrace pipeline resume {name}` lets it run"
    print(json.dumps({"pipeline": name, "paused_by": who}) if as_json else said)


def resume(name: Name, as_json: AsJson = False) -> None:
    """Let a paused pipeline run again.

    Example: headrace pipeline resume orders_hourly
    """
    from core.database.queries import load, run
    from core.workloads.pipelines.state.versions import approved

    with reached() as connections, connections.warehouse.transaction() as conn:
        approved(conn, name)
        run(conn, load("pipelines")["pipeline_resume"], {"name": name})
    print(json.dumps({"pipeline": name, "paused_by": None}) if as_json else f"{name} may run")
