"""`headrace bench reconcile`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.workloads.invoices.bench.reconcile import Measured


def register(group: typer.Typer) -> None:
    """Add the command to the group `bench`."""
    group.command("reconcile")(reconcile)


def reconcile(
    rows: Annotated[
        list[int] | None, typer.Option("--rows", min=200, help="Invoices and bank lines, together [10000].")
    ] = None,
    seeds: Annotated[list[int] | None, typer.Option("--seed", help="Of the generator [1].")] = None,
    as_json: AsJson = False,
) -> None:
    """Seconds, memory and accuracy of a reconciliation of made receivables, each in a process of its own.

    Example: headrace bench reconcile --rows 100000
    Example: headrace bench reconcile --rows 20000 --seed 1 --seed 2 --seed 3 --json
    """
    from core.terminal.progress import rows_progress
    from core.workloads.invoices.bench.reconcile import measure

    numbers, drawn = rows or [10_000], seeds or [1]
    wanted = [(n, seed) for n in numbers for seed in drawn]
    found = []
    with rows_progress() as moved:
        for done, (n, seed) in enumerate(wanted):
            moved("reconciliations", done, len(wanted))
            found.append(measure(n, seed))
        moved("reconciliations", len(wanted), len(wanted))
    words = [f"--rows {n}" for n in numbers] + [f"--seed {seed}" for seed in drawn]
    print_figures(f"headrace bench reconcile {' '.join(words)}", found, as_json=as_json)


def print_figures(command: str, found: Sequence[Measured], *, as_json: bool) -> None:
    """Print what was measured, with command and machine."""
    import json
    import platform
    from dataclasses import asdict

    from core.metrics.process import usable_cores
    from core.terminal.tables import emit

    machine = f"{usable_cores()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if as_json:
        print(json.dumps([{**asdict(one), "command": command, "machine": machine} for one in found]))
        return
    print(f"{command}\n{machine}")
    emit("", [_line(one) for one in found], as_json=False)


def _line(one: Measured) -> dict[str, str]:
    def percent(share: float | None) -> str:
        return "-" if share is None else f"{100 * share:.2f}"

    return {
        "rows": f"{one.rows:,}",
        "seed": str(one.seed),
        "seconds": f"{one.seconds:.2f}",
        "MiB": f"{one.growth_mb:,.0f}",
        "applied": f"{one.applied:,}",
        "wrong": str(one.wrong),
        "precise, least %": percent(one.precision_low),
        "touchless %": percent(one.touchless),
        "top 3 %": percent(one.top3_recall),
        "misfits": str(one.misfits),
        "broken": str(one.broken),
    }
