"""`headrace generate texts`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(group: typer.Typer) -> None:
    group.command("texts")(texts)


def texts(rows: Annotated[int, typer.Option("--rows", help="How many.")] = 3) -> None:
    """Write texts, one a line."""
    for number in range(rows):
        print("a" * number + " mill")
