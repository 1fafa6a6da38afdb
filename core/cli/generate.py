"""`headrace generate`: made data with known truth."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

PERSONS = """
Write made persons with errors, duplicates and the true entity of each row (last column, entity_id).

The same rows, seed and duplicates make the same file, byte for byte, with the same version.

[bold]Examples[/bold]

  headrace generate persons --rows 100000 --seed 7 --out persons.parquet

  headrace generate persons --rows 1000000 --seed 7 --duplicates 0.3 --out persons.csv --json
"""


def register(app: typer.Typer) -> None:
    """Add the group `generate` with its command `persons`."""
    group = typer.Typer(help="Make data with known truth, for trials and measurements.", no_args_is_help=True)
    group.command("persons", help=PERSONS)(persons)
    # A group needs a callback to stay a group while it has one command.
    group.callback()(lambda: None)
    app.add_typer(group, name="generate")


def persons(
    rows: Annotated[int, typer.Option("--rows", help="Records to write, duplicates included.")],
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other persons.")] = 1,
    duplicates: Annotated[
        float, typer.Option("--duplicates", help="Share of rows that are duplicates, 0 to 0.8.")
    ] = 0.3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a sentence.")] = False,
) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from core.workloads.identity.generator import plan_population, write_persons

    started = time.perf_counter()
    population = plan_population(rows, seed, duplicates)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("persons", total=rows)
        write_persons(population, out, lambda written: progress.update(task, completed=written))
    seconds = time.perf_counter() - started
    facts = {
        "out": str(out),
        "rows": rows,
        "entities": population.n_persons,
        "duplicates": len(population.owner),
        "seed": seed,
        "bytes": out.stat().st_size,
        "seconds": round(seconds, 3),
    }
    if as_json:
        print(json.dumps(facts))
        return
    print(
        f"{out}: {rows:,} rows of {population.n_persons:,} persons ({len(population.owner):,} duplicates), "
        f"{out.stat().st_size / 1e6:.1f} MB in {seconds:.1f} s"
    )
