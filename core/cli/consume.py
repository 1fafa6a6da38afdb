"""`headrace consume`: worker processes that run a handler of yours over the batches of a flow."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from core.terminal.signals import told_to_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.consuming.run import ConsumerRun
    from core.queue.consumers.supervisor import Figures

HTTP_PORT = 8081


def register(app: typer.Typer) -> None:
    app.command("consume")(consume)


def consume(
    handler: Annotated[
        str | None, typer.Option("--handler", help="module:function, importable from here; else the flow's own.")
    ] = None,
    flow: Annotated[list[str] | None, typer.Option("--flow", help="Flow to consume; repeat for more.")] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", help="Work queue whose flows to consume: matching, ..., or any.")
    ] = None,
    capability: Annotated[
        list[str] | None, typer.Option("--capability", help="What flows may need and this consumer has, such as gpu.")
    ] = None,
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
    http_port: Annotated[
        int | None, typer.Option("--http-port", min=0, max=65_535, help="/health, /ready, /metrics; 0: none [8081].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Take the batches of flows, in worker processes that are replaced when they die.

    A handler gets a polars frame (seq and payload, or the fields it declares with core.queue.handlers.handles) and
    returns one with seq and output; identity resolution has its own. SIGTERM or Ctrl-C: running batches finish within
    the grace or are given back.

    Example: headrace consume --flow survey --handler jobs.survey:score --processes 4
    """
    from core.consuming.request import ConsumeRequest
    from core.consuming.run import ConsumerRun
    from core.metrics import logs
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    request = ConsumeRequest(
        flows=tuple(flow or ()),
        queue=queue,
        handler=handler,
        capabilities=tuple(capability or ()),
        processes=processes,
        idle_exit_s=idle_exit,
        max_run_s=max_run,
        max_batches=max_batches,
        grace_s=grace,
        memory_mb=memory_mb,
    )
    with open_runtime() as runtime:
        logs.configure(runtime.settings.log)
        consumer = ConsumerRun(runtime, request, _status_line())
        with _page(consumer, http_port), told_to_end(consumer.stop):
            figures = consumer.run()
    summary = {
        "batches": figures.batches,
        "rows": figures.rows,
        "rows_failed": figures.rows_failed,
        "worker_deaths": figures.deaths,
        "exit_code": figures.exit_code,
    }
    emit("consumed", [summary], as_json=as_json)
    raise typer.Exit(figures.exit_code)


@contextmanager
def _page(consumer: ConsumerRun, port: int | None) -> Iterator[None]:
    """Health, readiness and metrics; without a port named, a second consumer of a machine goes without them."""
    import logging
    import os

    from core.consuming.page import Page
    from core.errors import ConfigError

    if port == 0:
        yield
        return
    # In a pod the probes come from outside of it.
    host = "0.0.0.0" if "KUBERNETES_SERVICE_HOST" in os.environ else "127.0.0.1"  # noqa: S104
    try:
        page = Page(host, HTTP_PORT if port is None else port, consumer.problem, consumer.samples)
    except ConfigError as error:
        if port is not None:
            raise
        logging.getLogger(__name__).info("no page of health and metrics: %s", error.message)
        yield
        return
    with page:
        yield


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
