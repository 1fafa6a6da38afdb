"""`headrace generate purchases`: made purchase lines with known truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.terminal.options import AsJson

PURCHASES = """
Write made purchase and activity lines, and the truth of each: supplier, category, mass, fate and slice.

DIR gets lines.csv and truth.csv. Plain lines make up most of them; the others are amounts with tax, decimal commas,
activities, suppliers' own figures, covered purchases, credit notes, orders, repeated documents, and traps that must not
count. The truth is computed in fractions from the starter set. The same rows and seed make the same files.

[bold]Examples[/bold]

  headrace generate purchases --rows 100000 --seed 3 --out purchases

  headrace generate purchases --rows 1000 --out purchases --json
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `generate`."""
    group.command("purchases", help=PURCHASES)(purchases)


def purchases(
    rows: Annotated[int, typer.Option("--rows", help="Lines to write.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to; made if it is not there.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other lines.")] = 1,
    as_json: AsJson = False,
) -> None:
    from core.workloads.emissions.made_purchases.files import write_purchases

    facts = write_purchases(rows, seed, out)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    print(f"{out}: {facts['rows']:,} lines in {len(facts['slices'])} slices, with their truth")
