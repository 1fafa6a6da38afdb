"""`headrace bench match|kernels|overhead`: figures that need made persons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.bench.harness.show import Json, Out, show
from core.errors import ConfigError
from core.made_records.persons.profiles import PLAIN
from core.metrics.process import usable_cores
from core.workloads.identity.bench.intake_command import intake
from core.workloads.identity.bench.lookup_command import lookup

PERSON_ROWS, KIND_ROWS = 100_000, 4_000


def register(group: typer.Typer) -> None:
    """Add the commands to the group `bench`."""
    for command in (match, intake, kernels, lookup, overhead):
        group.command(command.__name__)(command)


def match(
    rows: Annotated[
        int | None,
        typer.Option("--rows", min=1_000, help="Generated persons, 30 % duplicates [100000]; of another kind [4000]."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator.")] = 7,
    profile: Annotated[
        str, typer.Option("--profile", help="Of the generator: plain, families, registry, crm, international.")
    ] = PLAIN,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Made records of another kind, as of `headrace generate`.")
    ] = None,
    input: Annotated[Path | None, typer.Option("--input", help="A file of your own instead of made persons.")] = None,
    entity: Annotated[str, typer.Option("--entity", help="With --input: column of the true entity.")] = "entity_id",
    truth: Annotated[str | None, typer.Option("--truth", hidden=True, help="As --entity.")] = None,
    id_column: Annotated[str, typer.Option("--id", help="With --input: column that names each record.")] = "id",
    peers: Annotated[
        str, typer.Option("--peers", help="Also run splink, goldenmatch; tfidf with --kind (comma between).")
    ] = "",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all cores.")] = None,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Seconds, memory and accuracy from file to entities, each system in a process of its own on the same records.

    Example: headrace bench match --rows 1000000 --peers splink --out out.json
    Example: headrace bench match --rows 20000 --profile families --seed 3
    Example: headrace bench match --kind papers-scraped --rows 4000 --seed 3 --peers splink,tfidf
    """
    import tempfile
    from dataclasses import asdict

    from core.bench.matching.match import Records, measure
    from core.bench.matching.systems import ours
    from core.bench.matching.systems import peers as peers_of
    from core.terminal.progress import rows_progress

    threads, truth = threads or usable_cores(), truth or entity
    if kind is not None:
        if input is not None or profile != PLAIN:
            raise ConfigError("--kind makes its own records: leave out --input and --profile", option="kind")
        show(*_kind_measured(kind, rows or KIND_ROWS, seed, peers, threads), out or json_file)
        return
    rows = rows or PERSON_ROWS
    setups = [*ours(threads), *peers_of([name.strip() for name in peers.split(",") if name.strip()], threads)]
    data = (
        f"--input {input.name} --entity {truth} --id {id_column}"
        if input
        else f"--rows {rows} --seed {seed}" + f" --profile {profile}" * (profile != PLAIN)
    )
    command = f"headrace bench match {data}" + f" --peers {peers}" * bool(peers) + f" --threads {threads}"
    with tempfile.TemporaryDirectory(prefix="headrace-persons-") as folder, rows_progress() as moved:
        if input is not None:
            records = Records(input, id_column, truth, input.name)
        else:
            origin = "made persons" if profile == PLAIN else f"made persons ({profile})"
            path = _persons(Path(folder), rows, seed, profile)
            records = Records(path, "id", "entity_id", f"{origin}, seed {seed}")
        found = [asdict(one) for one in measure(records, setups, moved)]
    show(command, found, out or json_file)


def _kind_measured(name: str, rows: int, seed: int, peers: str, threads: int) -> tuple[str, list[dict[str, Any]]]:
    """The command to say again, and the figures of each system."""
    from dataclasses import asdict

    from core.bench.matching.kinds import measure_kind, setups_of
    from core.linkage.warm import warm
    from core.made_records.kinds import kind_of
    from core.terminal.progress import rows_progress

    kind = kind_of(name)
    setups = setups_of(kind, [peer.strip() for peer in peers.split(",") if peer.strip()], threads)
    command = f"headrace bench match --kind {name} --rows {rows} --seed {seed}"
    command += f" --peers {peers}" * bool(peers) + f" --threads {threads}"
    warm()
    with rows_progress() as moved:
        return command, [asdict(figure) for figure in measure_kind(kind, rows, seed, setups, moved)]


def kernels(
    rows: Annotated[
        int, typer.Option("--rows", min=1_000, max=5_000_000, help="Generated persons, 30 % duplicates.")
    ] = 200_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator and of the shuffling.")] = 7,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Pairs a second and core of the comparison kernels, beside rapidfuzz and DuckDB, and whether answers are equal.

    Example: headrace bench kernels --rows 1000000 --out out.json
    """
    from dataclasses import asdict

    import polars as pl

    from core.bench.matching.kernels import left_out, measure_kernels
    from core.made_records.persons.generator import person_chunks
    from core.made_records.persons.population import plan_population
    from core.terminal.progress import rows_progress

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
    show(f"headrace bench kernels --rows {rows} --seed {seed}", found, out or json_file)


def _persons(folder: Path, rows: int, seed: int, profile: str) -> Path:
    from core.made_records.persons.population import plan_population
    from core.workloads.identity.made_persons.files import write_persons

    path = folder / "persons.parquet"
    write_persons(plan_population(rows, seed, 0.3, profile), path)
    return path


def overhead(
    rows: Annotated[int, typer.Option("--rows", min=1_000, help="Generated persons, 30 % duplicates.")] = 1_000_000,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=50, help="Counted runs each way.")] = 3,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """What Prefect costs: identity resolution through the queue with and without it, at the default batch size.

    Each run is a process with a database of its own, in turn; one of each is not counted. The Prefect API is that of
    PREFECT_API_URL or of a running `headrace up`; without any, the benchmark starts a server, which shares the
    processors with both.

    Example: headrace bench overhead --rows 200000
    """
    import json
    from dataclasses import asdict

    from core.linkage.request import MatchRequest
    from core.runtime import open_runtime
    from core.terminal.become_flow import flow_environment
    from core.terminal.progress import rows_progress
    from core.terminal.tables import emit
    from core.workloads.identity.bench.overhead import measure
    from core.workloads.identity.made_persons.samples import sampled

    with open_runtime() as runtime, rows_progress() as moved:
        persons = sampled(f"demo:persons?rows={rows}&profile={PLAIN}", runtime.settings.state_dir / "samples")
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
