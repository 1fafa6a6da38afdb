"""`headrace bench emissions`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from core.terminal.options import AsJson

EMISSIONS = """
Time an inventory of made spend lines by stage, look-ups in a pinned set, and a simulation of 10,000 lines.

From a Parquet file of lines to lines.parquet and summary.json on the disk, with the starter set and no database. Making
the lines is not counted.

[bold]Examples[/bold]

  headrace bench emissions --rows 100000

  headrace bench emissions --rows 1000000 --seed 3 --json
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `bench`."""
    group.command("emissions", help=EMISSIONS)(emissions)


def emissions(
    rows: Annotated[int, typer.Option("--rows", min=1_000, max=10_000_000, help="Lines.")] = 1_000_000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other lines.")] = 1,
    as_json: AsJson = False,
) -> None:
    from core.terminal.tables import emit
    from core.workloads.emissions.bench.inventory import measure

    with tempfile.TemporaryDirectory() as scratch:
        found = measure(rows, seed, Path(scratch))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    stages = [{"stage": name, "seconds": f"{took:.2f}"} for name, took in found["seconds"].items()]
    emit(f"{rows:,} lines, {found['counted']:,} counted", stages, as_json=False)
    simulation = found["simulation"]
    print(
        f"{found['total_seconds']:.2f} s in all, {found['lines_per_second']:,} lines/s; "
        f"{found['look_ups_per_second']:,} look-ups/s;\n{simulation['draws']:,} draws of {simulation['lines']:,} lines "
        f"in {simulation['groups']} groups: {simulation['seconds']:.2f} s"
    )
