# budget: a command has as many parameters as it has options
"""`headrace bench`: measured figures of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.cli.bench_lookup import lookup
from core.cli.bench_show import Out, show
from core.cli.threads import available_threads

if TYPE_CHECKING:
    pass

HeldXmin = Annotated[
    bool, typer.Option("--held-xmin", help="A reader holds a snapshot all the time, as a long report does.")
]
Scaler = Literal["run", "schedule"]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Benchmarks on this machine.", no_args_is_help=True)
    group.callback()(_group)
    group.command("queue")(queue)
    group.command("headers")(headers)
    group.command("records")(records)
    group.command("match")(match)
    group.command("kernels")(kernels)
    group.command("lookup")(lookup)
    group.command("scale")(scale)
    group.command("overhead")(overhead)
    group.command("table")(table)
    app.add_typer(group, name="bench")


def _group() -> None:
    """Benchmarks on this machine."""


def queue(
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows in all; slow peers get fewer.")] = 500_000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=50_000, help="Rows a batch.")] = 5_000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Draining processes.")] = 2,
    peers: Annotated[str, typer.Option("--peers", help="Also run pgqueuer, procrastinate (comma between).")] = "",
    held_xmin: HeldXmin = False,
    out: Out = None,
) -> None:
    """Rows a second through the queue: enqueue, then claim, decode, results, acknowledge. In databases of its own.

    Example: headrace bench queue --rows 1000000 --batch 5000 --workers 2 --peers pgqueuer --json out.json
    """
    from dataclasses import asdict

    from core.bench.queue import Load, measure, rows_of
    from core.bench.systems import ours
    from core.bench.systems import peers as systems_of
    from core.cli.progress import rows_progress
    from core.runtime import open_runtime

    size = Load(rows, batch, workers, held_xmin)
    setups = [ours(batch), *systems_of([name.strip() for name in peers.split(",") if name.strip()])]
    for setup in setups:
        if (fewer := rows_of(size, setup)) < rows:
            print(f"{setup.system} ({setup.name}) is run on {fewer:,} rows: about a quarter of a minute")
    command = f"headrace bench queue --rows {rows} --batch {batch} --workers {workers}"
    command += f" --peers {peers}" * bool(peers) + " --held-xmin" * held_xmin
    with open_runtime() as runtime, rows_progress() as moved:
        found = [asdict(one) for one in measure(runtime.db.url, size, setups, moved)]
    show(command, found, out)


def headers(
    n_headers: Annotated[int, typer.Option("--headers", min=2_000, help="Ready headers.")] = 100_000,
    n_claims: Annotated[int, typer.Option("--claims", min=1, max=1_000, help="Claims to time.")] = 1_000,
    held_xmin: HeldXmin = False,
    out: Out = None,
) -> None:
    """Latency of claims and of depth with many ready headers. In a database of its own.

    Example: headrace bench headers --headers 100000
    """
    from dataclasses import asdict

    from core.bench.headers import measure_headers
    from core.cli.progress import rows_progress
    from core.runtime import open_runtime

    command = f"headrace bench headers --headers {n_headers} --claims {n_claims}" + " --held-xmin" * held_xmin
    with open_runtime() as runtime, rows_progress() as moved:
        found = [asdict(measure_headers(runtime.db.url, n_headers, n_claims, moved, held_xmin=held_xmin))]
    show(command, found, out)


def records(
    n_records: Annotated[int, typer.Option("--records", min=1, help="Records in all.")] = 10_000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Marking processes.")] = 2,
    flush_every: Annotated[int, typer.Option("--flush-every", min=1, help="Marks a transaction.")] = 1,
    claim: Annotated[int, typer.Option("--claim", min=1, max=100_000, help="Records a claim.")] = 200,
    out: Out = None,
) -> None:
    """Marks a second through the record-level API, beside bare durable commits. In a database of its own.

    Example: headrace bench records --records 100000 --flush-every 100 --claim 1000
    """
    from dataclasses import asdict

    from core.bench.records import RecordLoad, measure_records
    from core.cli.progress import rows_progress
    from core.runtime import open_runtime

    command = f"headrace bench records --records {n_records} --workers {workers} --flush-every {flush_every}"
    command += f" --claim {claim}"
    with open_runtime() as runtime, rows_progress() as moved:
        found = [asdict(measure_records(runtime.db.url, RecordLoad(n_records, workers, flush_every, claim), moved))]
    show(command, found, out)


def match(
    rows: Annotated[int, typer.Option("--rows", min=1_000, help="Generated persons, 30 % duplicates.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator.")] = 7,
    input: Annotated[Path | None, typer.Option("--input", help="A file of your own instead of made persons.")] = None,
    truth: Annotated[str, typer.Option("--truth", help="With --input: column of the true entity.")] = "entity_id",
    id_column: Annotated[str, typer.Option("--id", help="With --input: column that names each record.")] = "id",
    peers: Annotated[str, typer.Option("--peers", help="Also run splink, goldenmatch (comma between).")] = "",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all cores.")] = None,
    out: Out = None,
) -> None:
    """Seconds, memory and accuracy from file to entities, each system in a process of its own on the same records.

    Example: headrace bench match --rows 1000000 --peers splink --json out.json
    """
    import tempfile
    from dataclasses import asdict

    from core.bench.match import Records, measure
    from core.bench.match_systems import ours
    from core.bench.match_systems import peers as peers_of
    from core.cli.progress import rows_progress

    threads = threads or available_threads()
    setups = [*ours(threads), *peers_of([name.strip() for name in peers.split(",") if name.strip()], threads)]
    data = f"--input {input.name} --truth {truth} --id {id_column}" if input else f"--rows {rows} --seed {seed}"
    command = f"headrace bench match {data}" + f" --peers {peers}" * bool(peers) + f" --threads {threads}"
    with tempfile.TemporaryDirectory(prefix="headrace-persons-") as folder, rows_progress() as moved:
        if input is not None:
            records = Records(input, id_column, truth, input.name)
        else:
            records = Records(_persons(Path(folder), rows, seed), "id", "entity_id", f"made persons, seed {seed}")
        found = [asdict(one) for one in measure(records, setups, moved)]
    show(command, found, out)


def kernels(
    rows: Annotated[
        int, typer.Option("--rows", min=1_000, max=5_000_000, help="Generated persons, 30 % duplicates.")
    ] = 200_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator and of the shuffling.")] = 7,
    out: Out = None,
) -> None:
    """Pairs a second and core of the comparison kernels, beside rapidfuzz and DuckDB, and whether answers are equal.

    Example: headrace bench kernels --rows 1000000 --json out.json
    """
    from dataclasses import asdict

    import polars as pl

    from core.bench.kernels import left_out, measure_kernels
    from core.cli.progress import rows_progress
    from core.workloads.identity.generator import person_chunks
    from core.workloads.identity.population import plan_population

    for sentence in left_out():
        print(sentence)
    with rows_progress() as moved:
        chunks: list[pl.DataFrame] = []
        moved("making persons", 0, rows)
        for chunk in person_chunks(plan_population(rows, seed, 0.3)):
            chunks.append(chunk)
            moved("making persons", sum(len(each) for each in chunks), rows)
        origin = f"{rows:,} made persons, seed {seed}"
        found = [asdict(one) for one in measure_kernels(pl.concat(chunks), origin, seed, moved)]
    show(f"headrace bench kernels --rows {rows} --seed {seed}", found, out)


def _persons(folder: Path, rows: int, seed: int) -> Path:
    from core.workloads.identity.files import write_persons
    from core.workloads.identity.population import plan_population

    path = folder / "persons.parquet"
    write_persons(plan_population(rows, seed, 0.3), path)
    return path


def scale(
    by: Annotated[Scaler, typer.Option("--by", help="run: headrace scale run; schedule: the flow autoscale.")] = "run",
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=1_000, help="Bursts, one after another.")] = 10,
    batches: Annotated[int, typer.Option("--batches", min=1, max=10_000, help="Batches of a burst.")] = 24,
    consumers: Annotated[int, typer.Option("--max", min=1, max=64, help="Consumers at most.")] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Of the pauses between bursts.")] = 1,
    out: Out = None,
) -> None:
    """From a burst enqueued to the first consumer at work, and from empty to nobody left. In a database of its own.

    With --by schedule the stack of a running `headrace up` scales: its deployment autoscale/local gets one more
    schedule, for a flow of the benchmark's own, and bursts come at any second of the minute; about two minutes each.
    Schedule, flow and all that they left are deleted afterwards.

    Example: headrace bench scale --rounds 10
    """
    from dataclasses import asdict

    from core.bench import scale, schedule
    from core.cli.progress import rows_progress
    from core.runtime import open_runtime

    command = "headrace bench scale" + " --by schedule" * (by == "schedule")
    command += f" --rounds {rounds} --batches {batches} --max {consumers} --seed {seed}"
    bursts, api_url = scale.Bursts(rounds, batches, consumers, seed), _stack_api() if by == "schedule" else ""
    with open_runtime() as runtime, rows_progress() as moved:
        if by == "schedule":
            found = schedule.measure(runtime.queue, schedule.Api(api_url), bursts, moved)
        else:
            found = scale.measure(runtime.db.url, bursts, moved)
    show(command, [asdict(found)], out)


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


def overhead(
    rows: Annotated[int, typer.Option("--rows", min=1_000, help="Generated persons, 30 % duplicates.")] = 1_000_000,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=50, help="Counted runs each way.")] = 3,
    out: Out = None,
) -> None:
    """What Prefect costs: identity resolution through the queue with and without it, at the default batch size.

    Each run is a process with a database of its own, in turn; one of each is not counted. The Prefect API is that of
    PREFECT_API_URL or of a running `headrace up`; without any, the benchmark starts a server, which shares the
    processors with both.

    Example: headrace bench overhead --rows 200000
    """
    import json
    from dataclasses import asdict

    from core.bench.overhead import measure
    from core.cli.flows import flow_environment
    from core.cli.progress import rows_progress
    from core.cli.tables import emit
    from core.linkage.request import MatchRequest
    from core.runtime import open_runtime
    from core.workloads.identity.samples import sampled

    with open_runtime() as runtime, rows_progress() as moved:
        persons = sampled(f"demo:persons?rows={rows}", runtime.settings.state_dir / "samples")
        request = MatchRequest(input=persons, id_column="id")
        found = measure(runtime.db.url, request, rounds, flow_environment(), moved)
    figures = asdict(found) | {"command": f"headrace bench overhead --rows {rows} --rounds {rounds}"}
    emit("overhead", [{"figure": name, "value": _written(value)} for name, value in figures.items()], as_json=False)
    said = f"Prefect takes {found.overhead_percent:+.1f} % of the job's time at {found.batches} batches"
    print(said + f" ({found.plain_job_s:.2f} s without, {found.prefect_job_s:.2f} s with)")
    if out is not None:
        out.write_text(json.dumps([figures], indent=2) + "\n", encoding="utf-8")


def _written(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def table(
    files: Annotated[list[Path] | None, typer.Argument(help="Files that `--json` of the others wrote.")] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Renew the tables of this page from the files beside it.")
    ] = None,
) -> None:
    """Figures as a Markdown table, so that a page cannot drift from what was measured.

    Example: headrace bench table out.json
    """
    from core.bench.table import markdown, read, renewed
    from core.errors import ConfigError

    if not files and page is None:
        raise ConfigError("name a file of figures, or a page with --page")
    for path in files or []:
        print(markdown(read(path)))
    if page is not None:
        page.write_text(renewed(page.read_text(encoding="utf-8"), page.parent), encoding="utf-8")
