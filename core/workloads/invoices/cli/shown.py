"""The sums of a reconciliation, for programs or for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def show(figures: Mapping[str, Any], notices: Sequence[str], out: str | None, *, as_json: bool) -> None:
    """Print payments and amounts by state; notices go to stderr."""
    from core.currencies import money_words
    from core.terminal.tables import emit

    for notice in notices:
        typer.echo(f"notice: {notice}", err=True)
    if as_json:
        print(json.dumps({**figures, "out": out}))
        return
    rows = [
        {
            "state": state,
            "payments": f"{entry['payments']:,}",
            "amounts": ", ".join(money_words(code, minor) for code, minor in sorted(entry["amount_minor"].items())),
        }
        for state, entry in figures["states"].items()
    ]
    emit(f"{figures['payments']:,} payments, {figures['invoices']:,} open items", rows, as_json=False)
    typer.echo("written to the database" if out is None else f"written to {out}")
