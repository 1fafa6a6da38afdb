"""`headrace reconcile evaluate`: how good an answer is, against known truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from core.workloads.invoices.evaluation.evaluate import Evaluation, SliceFigures

EXAMPLES = """
Hold the answer of a run against the truth: of each slice how many payments were applied and how many of them rightly,
what needs no person, whether suggestions hold the truth, whether stated probabilities come true, and whether an
invariant is broken (then the command ends with 1).

DIR is what `headrace reconcile --out DIR` wrote. TRUTH has payment_id, invoice_id, amount_minor and slice, as made by
`headrace generate invoices`. Amounts are checked with payments.csv and invoices.csv beside TRUTH, or those named.

[bold]Examples[/bold]

  headrace reconcile evaluate answer --truth receivables/truth.csv

  headrace reconcile evaluate answer --truth receivables/truth.csv --json
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `reconcile`."""
    group.command("evaluate", help=EXAMPLES)(evaluate)


def evaluate(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="The answer: a folder with allocations.")],
    truth: Annotated[Path, typer.Option("--truth", help="What is true: CSV or Parquet.")],
    payments: Annotated[
        Path | None,
        typer.Option("--payments", help="Payments: id, amount, currency.", show_default=False),
    ] = None,
    invoices: Annotated[
        Path | None,
        typer.Option("--invoices", help="Invoices: id, amount, currency, open.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    from core.workloads.invoices.evaluation.answer_files import read_allocations, read_listed, read_money, read_truth
    from core.workloads.invoices.evaluation.evaluate import evaluate as held_against

    found = held_against(
        read_allocations(out),
        read_listed(out),
        read_truth(truth),
        read_money(payments or truth.parent / "payments.csv", required=payments is not None),
        read_money(invoices or truth.parent / "invoices.csv", required=invoices is not None),
    )
    if as_json:
        print(json.dumps(found.facts()))
    else:
        _print(found)
    if any(invariant.broken for invariant in found.invariants):
        raise typer.Exit(1)


def _print(found: Evaluation) -> None:
    from core.terminal.tables import emit

    emit("Applied automatically", [_applied(figures) for figures in found.slices], as_json=False)
    emit("Without a person, and what persons are shown", [_shown(figures) for figures in found.slices], as_json=False)
    bands = [
        {
            "stated": f"{band['above']:g}-{band['upto']:g}",
            "payments": band["n"],
            "mean": f"{band['stated']:.4f}",
            "right": f"{band['right']:.4f}",
            "interval": f"{band['low']:.4f}-{band['high']:.4f}",
            "fits": "yes" if band["fits"] else "NO",
        }
        for band in found.bands
    ]
    emit("Calibration", bands, as_json=False, empty="no explanation states a probability")
    checked = [
        {
            "invariant": invariant.name,
            "checked": invariant.n_checked,
            "broken": len(invariant.broken),
            "such as": ", ".join(invariant.broken[:3]),
        }
        for invariant in found.invariants
    ]
    emit("Invariants", checked, as_json=False)


def _applied(figures: SliceFigures) -> dict[str, Any]:
    share = figures.precision
    return {
        "slice": figures.name,
        "payments": figures.touchless.whole,
        "applied": share.whole,
        "wrong": share.whole - share.part,
        "precision": _percent(share.value),
        "at least": _percent(share.interval[0] if share.interval else None),
    }


def _shown(figures: SliceFigures) -> dict[str, Any]:
    return {
        "slice": figures.name,
        "touchless": _percent(figures.touchless.value),
        "by value": _percent(figures.value),
        "suggested": figures.recall.whole,
        "true in top 3": _percent(figures.recall.value),
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"
