"""`headrace emissions explain`: why one line came to what it came to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.terminal.options import AsJson

EXPLAIN = """
Show the trail of one line: its fate, the factors it counts, where they stand, and the next four with what they lost on.

[bold]Examples[/bold]

  headrace emissions explain L000012 --run answer

  headrace emissions explain L000012 --run answer --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("explain", help=EXPLAIN)(explain)


def explain(
    line: Annotated[str, typer.Argument(help="line_id of a line.")],
    out: Annotated[Path, typer.Option("--run", metavar="DIR", help="Folder of `emissions run`.")],
    as_json: AsJson = False,
) -> None:
    from core.terminal.tables import emit, emit_facts
    from core.workloads.emissions.inventory.explain import explained

    found = explained(out, line)
    if as_json:
        print(json.dumps(found, indent=2, default=str))
        return
    emit_facts(f"line {line}", {name: value for name, value in found.items() if not isinstance(value, list | dict)})
    for factor in found["factors"]:
        print()
        emit_facts(f"factor {factor['factor_no']}", factor)
    if found["candidates"]:
        print()
        emit("Candidates, the best first", found["candidates"], as_json=False)
