"""`headrace status`: how the whole stands, whether it meets its targets, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.database import DatabaseManager
    from core.monitoring.status.figures import Status, Work
    from core.monitoring.status.saved import Change
    from core.monitoring.status.targets import Kpi


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Show it again and again, until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.5, max=3_600, help="Seconds between two readings of --watch.")
    ] = 5.0,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=8_760, help="What success and rows an hour look back on.")
    ] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the targets; exit 1 if one is missed, 3 if one is critical.")
    ] = False,
    save: Annotated[Path | None, typer.Option("--save", help="Keep the figures in this file.")] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Compare with figures kept; with --check exit 1 if 10 % worse.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How everything stands: rates, times, end of the work, workers, database; and at most three things to do.

    Targets are those of ENVIRONMENT. Rates are of the last ten minutes; ends are a range, if nothing comes in.

    Example: headrace status; headrace status --check --json
    """
    from core.errors import ConfigError
    from core.monitoring.status import saved
    from core.monitoring.status.reading import read_status
    from core.monitoring.status.targets import exit_code, kpis
    from core.runtime import open_runtime

    if watch and (check or save or against):
        raise ConfigError("--watch shows, --check, --save and --against judge once: leave one out")
    before = saved.kept_figures(Path(against)) if against is not None else None
    with open_runtime() as runtime:
        environment = runtime.settings.environment
        if watch:
            _watch(runtime.db, hours, interval, environment, as_json=as_json)
            return
        read = read_status(runtime.db, hours)
    found = kpis(read, environment)
    changes = saved.changes(before, saved.figures_of(read)) if before is not None else []
    _print(read, environment, found if check else [], changes, as_json=as_json)
    if save is not None:
        saved.save(read, save)
    if check:
        raise typer.Exit(max(exit_code(found), int(saved.is_worse(changes))))


def _watch(db: DatabaseManager, hours: float, interval: float, environment: str, *, as_json: bool) -> None:
    import threading
    from contextlib import suppress

    ended = threading.Event()
    with suppress(KeyboardInterrupt):
        while True:
            _show_newest(db, hours, environment, as_json=as_json)
            if ended.wait(interval):
                return


def _show_newest(db: DatabaseManager, hours: float, environment: str, *, as_json: bool) -> None:
    """A reading in the place of the last one; while the database is away the reason."""
    import json

    import click

    from core.errors import StoreError
    from core.monitoring.status.document import document
    from core.monitoring.status.reading import read_status

    try:
        read = read_status(db, hours)
    except StoreError as error:
        print(json.dumps({"away": error.message}) if as_json else f"the database is away: {error.message}", flush=True)
        return
    if as_json:
        print(json.dumps(document(read, environment)), flush=True)
        return
    click.clear()
    _print_for_people(read, environment)


def _print(read: Status, environment: str, found: Sequence[Kpi], changes: Sequence[Change], *, as_json: bool) -> None:
    from dataclasses import asdict

    from core.monitoring.status.document import document
    from core.terminal.tables import emit

    if as_json:
        import json

        print(json.dumps({**document(read, environment), "changes": [asdict(change) for change in changes]}))
        return
    if not found:
        _print_for_people(read, environment)
    else:
        emit(f"targets of {environment}", [_kpi_row(kpi) for kpi in found], as_json=False)
    if changes:
        print()
        emit("since the figures kept", [asdict(change) for change in changes], as_json=False)


def _kpi_row(kpi: Kpi) -> dict[str, Any]:
    seen = "" if kpi.value is None else _figure(kpi.value)
    return {
        "figure": kpi.name,
        "seen": seen,
        "target": f"{kpi.target} {kpi.unit}",
        "verdict": kpi.verdict,
        "note": kpi.note,
    }


def _print_for_people(read: Status, environment: str) -> None:
    from core.monitoring.status.advice import suggestions
    from core.terminal.tables import emit, emit_facts

    emit_facts(f"status: {read.health}", _facts(read))
    print()
    emit("flows", [_flow_row(name, flow) for name, flow in read.flows.items()], as_json=False, empty="no flows")
    if read.server.statements:
        print()
        emit("statements that took longest in all", _statement_rows(read), as_json=False)
    for number, suggestion in enumerate(suggestions(read, environment), 1):
        print()
        said = {suggestion.flow: suggestion.says, "because": suggestion.evidence, "run": suggestion.command}
        emit_facts("what to do" if number == 1 else "", said)


def _facts(read: Status) -> dict[str, Any]:
    work, ended, server = read.overall, read.ended, read.server
    facts: dict[str, Any] = {
        "work": f"{work.backlog_rows:,} rows wait or run; {_rate(work)}; {_end(work)}",
        "batches": "none ended within ten minutes"
        if work.batch_s is None or work.batch_p95_s is None
        else f"half take less than {_short(work.batch_s)}, 95 % less than {_short(work.batch_p95_s)}; "
        f"workers compute {work.cpu_share or 0.0:.0%} of it",
        f"last {read.hours:g} h": "nothing ended"
        if ended.success_percent is None
        else f"{ended.n_rows:,} rows ended, {ended.success_percent:g} % well"
        + (f"; most others died of {ended.error_class}" if ended.error_class else ""),
        "workers": ", ".join(_host(host) for host in read.hosts) or "none beats",
        "database": f"answers in {server.answer_ms:.1f} ms; "
        f"{server.connections} of {server.connections_max} connections",
    }
    if server.lost:
        facts["statements"] = server.lost
    if read.issues:
        facts["wrong"] = "; ".join(read.issues)
    return facts


def _host(host: Any) -> str:
    load = "" if host.load is None else f", load by core {host.load:.2f}"
    silent = f", silent for {host.silent_s:.0f} s" if host.silent_s > 30 else ""
    return f"{host.workers} on {host.host} ({host.n_leases} batches{load}{silent})"


def _flow_row(name: str, work: Work) -> dict[str, Any]:
    from core.monitoring.top import shown_age, shown_count

    return {
        "flow": name,
        "state": "paused" if work.paused else "busy" if work.running_batches else "",
        "rows": shown_count(work.backlog_rows),
        "oldest": shown_age(work.oldest_age_s) if work.oldest_age_s else "",
        "rows/s": "" if work.rate is None else shown_count(work.rate.per_s),
        "batch s": "" if work.batch_s is None else f"{work.batch_s:.3g}",
        "cpu": "" if work.cpu_share is None else f"{work.cpu_share:.0%}",
        "done in": _end(work).removeprefix("done in ") if work.backlog_rows else "",
    }


def _rate(work: Work) -> str:
    if work.rate is None:
        return "nothing ended within ten minutes"
    return f"{_figure(work.rate.per_s)} rows/s ({_figure(work.rate.low)} to {_figure(work.rate.high)})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _short(seconds: float) -> str:
    from core.terminal.spans import span_words

    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else span_words(seconds)


def _end(work: Work) -> str:
    """The range in which the backlog is done, in words."""
    from core.terminal.spans import span_words

    if not work.backlog_rows:
        return "nothing waits"
    if work.paused or work.eta_s is None:
        return "no end in sight"
    soonest, latest = work.eta_s
    return (
        f"done in {span_words(soonest)} to {span_words(latest)}"
        if latest is not None
        else (f"done in {span_words(soonest)} or much later")
    )


def _statement_rows(read: Status) -> list[dict[str, Any]]:
    return [
        {
            "statement": one.text if len(one.text) <= 60 else one.text[:59] + "…",
            "calls": one.calls,
            "mean ms": round(one.mean_ms, 2),
            "total s": round(one.total_ms / 1e3, 1),
        }
        for one in read.server.statements
    ]
