"""`headrace generate`: made data with known truth."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from core.made_records.persons.profiles import DEFAULT_PROFILE
from core.metrics.process import usable_cores

PERSONS = """
Write made persons with errors, duplicates and the true entity of each row (last column, entity_id).

The same rows, seed and duplicates make the same file, byte for byte, with the same version. Duplicates stand anywhere
in the file; names, streets and towns become more with the rows, as those of a country do. Memory does not.

--profile says what the people are like: families (one mailbox, father and son of one name, twins; this is the
default), registry (many years, misread paper), crm (little known of each, no birthdays for half), international
(names of eight customs, other spellings and scripts) or plain (neighbours with few things in common). How common each
difficulty is, is drawn anew for every seed, but not in plain; --json says what came out.

[bold]Examples[/bold]

  headrace generate persons --rows 100000 --seed 7 --out persons.parquet

  headrace generate persons --profile crm --rows 20000 --seed 3 --out customers.csv

  headrace generate persons --rows 1000000 --seed 7 --duplicates 0.3 --out persons.csv --json

  headrace generate persons --rows 70000000 --out persons70m.parquet
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `generate`."""
    group.command("persons", help=PERSONS)(persons)


def persons(
    rows: Annotated[int, typer.Option("--rows", help="Records to write, duplicates included.")],
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other persons.")] = 1,
    profile: Annotated[
        str, typer.Option("--profile", help="families, registry, crm, international or plain.")
    ] = DEFAULT_PROFILE,
    duplicates: Annotated[
        float, typer.Option("--duplicates", help="Share of rows that are duplicates, 0 to 0.8.")
    ] = 0.3,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads; the cores of this machine unless said.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a sentence.")] = False,
) -> None:
    import os

    threads = threads or usable_cores()
    # polars reads its bound at import.
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
    from core.made_records.persons.population import plan_population
    from core.terminal.progress import rows_progress
    from core.workloads.identity.made_persons.files import write_persons

    started = time.perf_counter()
    with rows_progress() as show:
        show("persons", 0, rows)
        population = plan_population(rows, seed, duplicates, profile)
        write_persons(population, out, threads, lambda written: show("persons", written, rows))
    seconds = time.perf_counter() - started
    facts = {
        "out": str(out),
        "rows": rows,
        "entities": population.n_persons,
        "duplicates": population.n_copies,
        "seed": seed,
        "profile": profile,
        "rates": {}
        if population.world is None
        else {name: round(rate, 4) for name, rate in population.world.rates.items()},
        "bytes": out.stat().st_size,
        "seconds": round(seconds, 3),
    }
    if as_json:
        print(json.dumps(facts))
        return
    print(
        f"{out}: {rows:,} rows of {population.n_persons:,} persons ({population.n_copies:,} duplicates), "
        f"{out.stat().st_size / 1e6:.1f} MB in {seconds:.1f} s"
    )
