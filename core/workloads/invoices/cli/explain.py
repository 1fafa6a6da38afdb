"""`headrace reconcile explain`: why a payment was decided as it was, and why not otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

EPILOG = """
Examples:

  headrace reconcile explain P-77 --run answer

  headrace reconcile explain P-77 INV-12 --run answer --json
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `reconcile`."""
    group.command("explain", epilog=EPILOG)(explain)


def explain(
    payment: Annotated[str, typer.Argument(help="Id of the payment.")],
    item: Annotated[str | None, typer.Argument(help="Id of an invoice: why not this one.", show_default=False)] = None,
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Folder that `reconcile --out` wrote.")] = Path("."),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the explanations of a payment with what each weighs; the files of the run are read again."""
    from core.workloads.invoices.reconciling.explained import explained

    found = explained(run, payment, item)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    from core.terminal.tables import emit, emit_facts

    facts = {
        "payment": found["payment"],
        "state": found["state"] + (f" ({found['held_by']})" if found["held_by"] else ""),
        "pays nothing open": f"{found['nothing_open']:.4f}",
        "sets not listed": f"{found['sets_not_listed']:.4f}",
    }
    if "why_not" in found:
        facts[f"why not {found['item']}"] = found["why_not"]
    emit_facts("", facts)
    rows = [
        {
            "items": ", ".join(one["items"]),
            "posterior": f"{one['posterior']:.4f}",
            "bits": f"{one['bits']:.1f}",
            "as": f"{one['family']}, {one['naming']}, by {one['payer_by']}",
            "residual": f"{one['residual_kind']} {one['residual_minor'] or ''}".strip(),
            "of": ", ".join(f"{name} {bits:+.1f}" for name, bits in one["bits_for"].items()),
        }
        for one in found["explanations"]
    ]
    emit("", rows, as_json=False, empty="no explanation was found")
