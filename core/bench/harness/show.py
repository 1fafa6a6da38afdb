"""What every bench command prints, and the file it writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence


Out = Annotated[Path | None, typer.Option("--out", help="Write a list of figures to this file, as JSON.")]
# What `--out` was called; scripts may say it still.
Json = Annotated[Path | None, typer.Option("--json", hidden=True, help="As --out.")]


def show(command: str, found: Sequence[dict[str, Any]], out: Path | None) -> None:
    """Print figures as a table, and write them with command and machine to `out`."""
    import json
    import platform

    from core.bench.harness.table import rows
    from core.metrics.process import usable_cores
    from core.terminal.tables import emit

    machine = f"{usable_cores()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    named = [{**one, "command": command, "machine": machine} for one in found]
    print(command)
    emit("figures", rows(named), as_json=False)
    if out is not None:
        out.write_text(json.dumps(named, indent=2) + "\n", encoding="utf-8")
