"""`headrace emissions evaluate`: a folder of answers held against the truth of made lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.terminal.options import AsJson

EVALUATE = """
Hold an inventory against the truth of its lines: fates and masses by slice, the total, and suppliers.

The truth has line_id, entity, category, kg (blank where the line must not count) and fate; slice names a trap. A trap
is caught if its line does not count, or counts the true mass and is marked for review.

[bold]Examples[/bold]

  headrace emissions evaluate answer --truth purchases/truth.csv

  headrace emissions evaluate answer --truth purchases/truth.csv --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("evaluate", help=EVALUATE)(evaluate)


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `emissions run`.")],
    truth: Annotated[Path, typer.Option("--truth", help="CSV of the truth.")],
    as_json: AsJson = False,
) -> None:
    from core.workloads.emissions.inventory.evaluate import evaluate as evaluated

    show(evaluated(folder, truth), as_json=as_json)


def show(found: dict[str, Any], *, as_json: bool) -> None:
    """By slice, and the whole."""
    from core.terminal.tables import emit

    if as_json:
        print(json.dumps(found, indent=2))
        return
    emit("By slice", found["slices"], as_json=False)
    print(
        f"\ntotal {found['total_kg']} kg, truth {found['truth_kg']} kg: off by {found['total_off_percent']} %; "
        f"{found['fates_right_percent']} % of fates and {found['categories_right_percent']} % of categories right; "
        f"suppliers: {found['entity_pairs_precision']} of joined pairs right, "
        f"{found['entity_pairs_recall']} of true ones found"
    )
