"""The root command and the nouns below it."""

from __future__ import annotations

import importlib

import typer

# Each module has `register(app: typer.Typer) -> None`, which adds its command or its group.
NOUNS = (
    "match",
    "lookup",
    "explain",
    "model",
    "report",
    "evaluate",
    "generate",
    "queue",
    "consume",
    "scale",
    "jobs",
    "deploy",
    "up",
    "web",
    "db",
    "doctor",
    "bench",
)


def build() -> typer.Typer:
    """Assemble the command tree without importing any heavy library."""
    app = typer.Typer(
        help="Match records at scale: persons, suppliers, invoices; through a queue in PostgreSQL, on Prefect.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for noun in NOUNS:
        importlib.import_module(f"core.cli.{noun}").register(app)
    return app
