"""`headrace emissions`: inventories of files and of the database, why a line came to what it did, worked examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.workloads.emissions.conformance.vectors import Checked

EXAMPLES = """
Recompute worked examples with their units and hold them against what is expected.

Shown are the value expected, the value recomputed and, where the source prints another one, that it is a misprint.
A vector whose units do not multiply out is wrong, with the reason. The command ends with 1 if one is wrong. A section
for which there is no rule is said not to be checked.

[bold]Examples[/bold]

  headrace emissions conformance

  headrace emissions conformance --vectors own.yaml --json
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    from core.workloads.emissions.cli import evaluate, explain, inventories, run

    group = typer.Typer(help="Scope 3 emissions: from purchase lines to an inventory.", no_args_is_help=True)
    run.register(group)
    inventories.register(group)
    explain.register(group)
    evaluate.register(group)
    group.command("conformance", help=EXAMPLES)(conformance)
    app.add_typer(group, name="emissions")


def conformance(
    vectors: Annotated[
        Path | None, typer.Option("--vectors", help="YAML of the same form; those of Headrace unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    from core.workloads.emissions.conformance.vectors import SHIPPED, check_file

    found = check_file(vectors or SHIPPED)
    _show(found, as_json=as_json)
    if any(checked.verdict == "wrong" for checked in found):
        raise typer.Exit(1)


def _show(found: list[Checked], *, as_json: bool) -> None:
    from core.terminal.tables import emit

    rows = [_facts(checked) for checked in found]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    shown = [{**row, "note": row["note"] or _printed(row)} for row in rows]
    emit("", [{k: v for k, v in row.items() if k != "printed"} for row in shown], as_json=False)
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in ("fits", "misprint", "wrong")}
    left = len(rows) - sum(counts.values())
    said = f"{counts['fits']} fit, {counts['misprint']} misprints of the source, {counts['wrong']} wrong"
    print(f"{said}, {left} not checked")


def _printed(row: dict[str, Any]) -> str:
    return f"the source prints {row['printed']}" if row["verdict"] == "misprint" else ""


def _facts(checked: Checked) -> dict[str, Any]:
    row = checked.row
    return {
        "vector": row.vector,
        "part": row.part,
        "verdict": checked.verdict,
        "expected": None if row.expected is None else str(row.expected),
        "recomputed": None if row.got is None else f"{float(row.got):.10g}",
        "printed": None if row.printed is None else str(row.printed),
        "unit": row.unit,
        "note": row.note,
    }
