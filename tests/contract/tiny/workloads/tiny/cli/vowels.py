"""`headrace vowels`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("vowels")(vowels)


def vowels(text: Annotated[str, typer.Argument(help="Whose vowels are counted.")]) -> None:
    """Count the vowels of a text."""
    from tests.contract.tiny.workloads.tiny.kernels import vowels_of

    print(vowels_of([text])[0])
