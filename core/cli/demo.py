"""`headrace demo`: the first run, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Folder for all that the demo makes; `demo` in the state directory unless given."),
    ] = None,
) -> None:
    """Resolve 100,000 generated persons under Prefect, through the queue, and compare with the truth.

    Everything is made in one folder: PostgreSQL, the history of Prefect, the persons and their entities.

    Example: headrace demo --dir /tmp/demo
    """
    import os

    from core.settings import read_settings
    from core.terminal.become_flow import become_flow

    place = (folder or read_settings().state_dir / "demo").expanduser().absolute()
    os.environ["HEADRACE_STATE_DIR"] = str(place)
    os.environ.setdefault("PREFECT_HOME", str(place / "prefect"))
    become_flow("flows.demo", [])
