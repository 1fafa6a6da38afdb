"""`headrace reconcile explain`: why a payment was decided as it was, and why not otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.terminal.options import AsJson
from core.workloads.invoices.cli.published import OfTenant

EPILOG = """
Examples:

  headrace reconcile explain P-77 --run answer

  headrace reconcile explain P-77 INV-12 --run answer --json

  headrace reconcile explain P-77 INV-12
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `reconcile`."""
    group.command("explain", epilog=EPILOG)(explain)


def explain(
    payment: Annotated[str, typer.Argument(help="Id of the payment.")],
    item: Annotated[str | None, typer.Argument(help="Id of an invoice: why not this one.", show_default=False)] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="DIR", help="Folder that `reconcile --out` wrote; else what was published."),
    ] = None,
    tenant: OfTenant = "default",
    as_json: AsJson = False,
) -> None:
    """Show the explanations of a payment with what each weighs.

    With --run the files of the run are read again; without, the database says what was found when it was published.
    """
    found = _published(tenant, payment, item) if run is None else _of_folder(run, payment, item)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    _print(found)


def _of_folder(run: Path, payment: str, item: str | None) -> dict[str, Any]:
    from core.workloads.invoices.reconciling.explained import explained

    return explained(run, payment, item)


def _published(tenant: str, payment: str, item: str | None) -> dict[str, Any]:
    from core.runtime import open_runtime
    from core.workloads.invoices.publishing.told import published_explanation

    with open_runtime() as runtime, runtime.db.transaction() as conn:
        return published_explanation(conn, tenant, payment, item)


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
