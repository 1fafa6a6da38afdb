"""`headrace bench`: measured figures of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from core.bench.harness.show import Json, Out, show

HeldXmin = Annotated[
    bool, typer.Option("--held-xmin", help="A reader holds a snapshot all the time, as a long report does.")
]
Scaler = Literal["run", "schedule"]


def register(group: typer.Typer) -> None:
    for command in (queue, headers, records, scale, table):
        group.command(command.__name__)(command)


def queue(
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows in all; slow peers get fewer.")] = 500_000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=50_000, help="Rows a batch.")] = 5_000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Draining processes.")] = 2,
    peers: Annotated[str, typer.Option("--peers", help="Also run pgqueuer, procrastinate (comma between).")] = "",
    held_xmin: HeldXmin = False,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Rows a second through the queue: enqueue, then claim, decode, results, acknowledge. In databases of its own.

    Example: headrace bench queue --rows 1000000 --batch 5000 --workers 2 --peers pgqueuer --out out.json
    """
    from dataclasses import asdict

    from core.bench.queue.systems import ours
    from core.bench.queue.systems import peers as systems_of
    from core.bench.queue.throughput import Load, measure, rows_of
    from core.runtime import open_runtime
    from core.terminal.progress import rows_progress

    size = Load(rows, batch, workers, held_xmin)
    setups = [ours(batch), *systems_of([name.strip() for name in peers.split(",") if name.strip()])]
    for setup in setups:
        if (fewer := rows_of(size, setup)) < rows:
            print(f"{setup.system} ({setup.name}) is run on {fewer:,} rows: about a quarter of a minute")
    command = f"headrace bench queue --rows {rows} --batch {batch} --workers {workers}"
    command += f" --peers {peers}" * bool(peers) + " --held-xmin" * held_xmin
    with open_runtime() as runtime, rows_progress() as moved:
        found = [asdict(one) for one in measure(runtime.db.url, size, setups, moved)]
    show(command, found, out or json_file)


def headers(
    n_headers: Annotated[int, typer.Option("--headers", min=2_000, help="Ready headers.")] = 100_000,
    n_claims: Annotated[int, typer.Option("--claims", min=1, max=1_000, help="Claims to time.")] = 1_000,
    held_xmin: HeldXmin = False,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Latency of claims and of depth with many ready headers. In a database of its own.

    Example: headrace bench headers --headers 100000
    """
    from dataclasses import asdict

    from core.bench.queue.headers import measure_headers
    from core.runtime import open_runtime
    from core.terminal.progress import rows_progress

    command = f"headrace bench headers --headers {n_headers} --claims {n_claims}" + " --held-xmin" * held_xmin
    with open_runtime() as runtime, rows_progress() as moved:
        found = [asdict(measure_headers(runtime.db.url, n_headers, n_claims, moved, held_xmin=held_xmin))]
    show(command, found, out or json_file)


def records(
    n_records: Annotated[int, typer.Option("--records", min=1, help="Records in all.")] = 10_000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Marking processes.")] = 2,
    flush_every: Annotated[int, typer.Option("--flush-every", min=1, help="Marks a transaction.")] = 1,
    claim: Annotated[int, typer.Option("--claim", min=1, max=100_000, help="Records a claim.")] = 200,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Marks a second through the record-level API, beside bare durable commits. In a database of its own.

    Example: headrace bench records --records 100000 --flush-every 100 --claim 1000
    """
    from dataclasses import asdict

    from core.bench.queue.records import RecordLoad, measure_records
    from core.runtime import open_runtime
    from core.terminal.progress import rows_progress

    command = f"headrace bench records --records {n_records} --workers {workers} --flush-every {flush_every}"
    command += f" --claim {claim}"
    with open_runtime() as runtime, rows_progress() as moved:
        found = [asdict(measure_records(runtime.db.url, RecordLoad(n_records, workers, flush_every, claim), moved))]
    show(command, found, out or json_file)


def scale(
    by: Annotated[Scaler, typer.Option("--by", help="run: headrace scale run; schedule: the flow autoscale.")] = "run",
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=1_000, help="Bursts, one after another.")] = 10,
    batches: Annotated[int, typer.Option("--batches", min=1, max=10_000, help="Batches of a burst.")] = 24,
    consumers: Annotated[int, typer.Option("--max", min=1, max=64, help="Consumers at most.")] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Of the pauses between bursts.")] = 1,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """From a burst enqueued to the first consumer at work, and from empty to nobody left. In a database of its own.

    With --by schedule the stack of a running `headrace up` scales: its deployment autoscale/local gets one more
    schedule, for a flow of the benchmark's own, and bursts come at any second of the minute; about two minutes each.
    Schedule, flow and all that they left are deleted afterwards.

    Example: headrace bench scale --rounds 10
    """
    from dataclasses import asdict

    from core.bench.scaling import bursts as scaling
    from core.bench.scaling import schedule
    from core.runtime import open_runtime
    from core.terminal.progress import rows_progress

    command = "headrace bench scale" + " --by schedule" * (by == "schedule")
    command += f" --rounds {rounds} --batches {batches} --max {consumers} --seed {seed}"
    load, api_url = scaling.Bursts(rounds, batches, consumers, seed), _stack_api() if by == "schedule" else ""
    with open_runtime() as runtime, rows_progress() as moved:
        if by == "schedule":
            found = schedule.measure(runtime.queue, schedule.Api(api_url), load, moved)
        else:
            found = scaling.measure(runtime.db.url, load, moved)
    show(command, [asdict(found)], out or json_file)


def _stack_api() -> str:
    """Raises ConfigError: no stack of this state directory is ready."""
    from core.errors import ConfigError
    from core.settings import read_settings
    from core.stack.state import running_stack

    state_dir = read_settings().state_dir
    stack = running_stack(state_dir)
    if stack is None or stack.phase != "ready":
        raise ConfigError(
            f"--by schedule measures a running `headrace up`, and none is ready in {state_dir}: start one, or name its "
            "folder in HEADRACE_STATE_DIR"
        )
    return stack.api_url


def table(
    files: Annotated[list[Path] | None, typer.Argument(help="Files that `--json` of the others wrote.")] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Renew the tables of this page from the files beside it.")
    ] = None,
) -> None:
    """Figures as a Markdown table, so that a page cannot drift from what was measured.

    Example: headrace bench table out.json
    """
    from core.bench.harness.table import markdown, read, renewed
    from core.errors import ConfigError

    if not files and page is None:
        raise ConfigError("name a file of figures, or a page with --page")
    for path in files or []:
        print(markdown(read(path)))
    if page is not None:
        page.write_text(renewed(page.read_text(encoding="utf-8"), page.parent), encoding="utf-8")
