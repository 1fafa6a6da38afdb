"""`headrace reconcile`: the group of commands that apply payments to invoices."""

from __future__ import annotations

import typer

from core.workloads.invoices.cli import evaluate


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Payments and invoices: which settles which.", no_args_is_help=True)
    # A group needs a callback to stay a group while it has one command.
    group.callback()(lambda: None)
    evaluate.register(group)
    app.add_typer(group, name="reconcile")
