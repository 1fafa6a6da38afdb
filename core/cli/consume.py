# budget: options of a command are its parameters, and grouping them would hide them from --help
"""`headrace consume`: worker processes that run a handler of yours over the batches of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.queue.supervisor import Figures


def register(app: typer.Typer) -> None:
    app.command("consume")(consume)


def consume(
    handler: Annotated[str, typer.Option("--handler", help="module:function, importable from this folder.")],
    flow: Annotated[list[str] | None, typer.Option("--flow", help="Flow to consume; repeat for more.")] = None,
    processes: Annotated[int, typer.Option("--processes", min=1, max=256, help="Worker processes.")] = 1,
    max_batches: Annotated[
        int | None, typer.Option("--max-batches", min=1, help="Each worker ends after so many.")
    ] = None,
    idle_exit: Annotated[
        float | None, typer.Option("--idle-exit-seconds", min=0, help="End when nothing was ready for so long.")
    ] = None,
    max_run: Annotated[float | None, typer.Option("--max-run-seconds", min=0, help="Claim nothing after that.")] = None,
    grace: Annotated[
        float, typer.Option("--grace-seconds", min=0, help="What a running batch gets to finish on SIGTERM.")
    ] = 30.0,
    memory_mb: Annotated[
        int | None, typer.Option("--memory-mb", min=64, help="A worker above that is killed and replaced.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run a handler over the batches of a flow, in processes that are replaced when they die.

    The handler gets a polars frame (seq and payload, or the fields it declares with core.queue.handlers.handles) and
    returns one with seq and output. SIGTERM or Ctrl-C: running batches finish within the grace or are given back.

    Example: headrace consume --flow survey --handler jobs.survey:score --processes 4
    """
    import signal

    from core.cli.tables import emit
    from core.queue import flows
    from core.queue.consumer import Options
    from core.queue.supervisor import Plan, Supervisor
    from core.runtime import open_runtime

    flow_names = flow or [_declared(handler)]
    with open_runtime() as runtime:
        for name in flow_names:
            flows.require_known(runtime.db, name)
        plan = Plan(flow_names, handler, processes, Options(max_batches, idle_exit, max_run), grace, memory_mb)
        supervisor = Supervisor(runtime.queue, plan, _status_line())
        told = (signal.SIGTERM, signal.SIGINT)
        before = [signal.signal(number, lambda *_: supervisor.stop()) for number in told]
        try:
            figures = supervisor.run()
        finally:
            for number, handler_before in zip(told, before, strict=True):
                signal.signal(number, handler_before)
    summary = {
        "batches": figures.batches,
        "rows": figures.rows,
        "rows_failed": figures.rows_failed,
        "worker_deaths": figures.deaths,
        "exit_code": figures.exit_code,
    }
    emit("consumed", [summary], as_json=as_json)
    raise typer.Exit(figures.exit_code)


def _declared(handler: str) -> str:
    """The flow that the handler names itself."""
    import os
    import sys

    from core.errors import ConfigError
    from core.queue.handlers import load_handler

    sys.path.append(os.getcwd())
    declared = load_handler(handler).flow_name
    if declared is None:
        raise ConfigError(f"which flow? name it with --flow, or in the handler {handler} with @handles(flow=...)")
    return declared


def _status_line() -> Callable[[Figures], None] | None:
    """One line that is written over, where somebody looks at a terminal."""
    import sys

    if not sys.stderr.isatty():
        return None

    def say(figures: Figures) -> None:
        done = f"{figures.batches:,} batches, {figures.rows:,} rows, {figures.rows_failed:,} failed"
        line = f"{figures.workers} workers, {done}"
        print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)

    return say
