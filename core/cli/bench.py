"""`headrace bench`: measured figures of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Benchmarks on this machine.", no_args_is_help=True)
    group.callback()(_group)
    group.command("queue")(queue)
    app.add_typer(group, name="bench")


def _group() -> None:
    """Benchmarks on this machine."""


def queue(
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows in all.")] = 500_000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=50_000, help="Rows a batch.")] = 5_000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Draining processes.")] = 2,
    out: Annotated[Path | None, typer.Option("--json", help="Write a list of figures to this file.")] = None,
) -> None:
    """Rows a second through the queue: enqueue, then claim, decode, results, acknowledge. In a database of its own.

    Example: headrace bench queue --rows 1000000 --batch 5000 --workers 2 --json out.json
    """
    import json
    from dataclasses import asdict

    from core.bench.queue import Load, measure
    from core.cli.tables import words
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        measured = asdict(measure(runtime.db.url, Load(rows, batch, workers), print))
    for name, value in measured.items():
        print(f"{name:>28}  {value if isinstance(value, dict | float) else words(value)}")
    if out is not None:
        out.write_text(json.dumps([measured], indent=2) + "\n", encoding="utf-8")
