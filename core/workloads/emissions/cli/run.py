"""`headrace emissions run` and `demo`: an inventory from a file of lines, or from those of the database."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from core.terminal.options import AsJson

RUN = """
Compute an inventory of purchase and activity lines: of a file, without a database, or of those that were imported.

Every line has one fate: counted, superseded, excluded, review or rejected, with a reason unless it counts. Nothing is
made up: no code, rate, unit or figure, no number. DIR gets lines.parquet (a row for each line, masses in whole
milligrams) and summary.json (totals by category and by fate, and the interval of 95 %).

With --tenant and --period the imported lines are computed, and the answer is published in one transaction as a draft
version with the hashes of all that went in; `emissions lock`, `restate`, `replay` and `export` go on from it.

Without --factors the starter set is taken: some 80 figures, for screening only, with its own rates and price index.

[bold]Examples[/bold]

  headrace emissions run --lines lines.csv --out answer

  headrace emissions run --lines erp.csv --map amount=net_value --map code=naics --policy policy.yaml --out answer

  headrace emissions run --lines lines.parquet --factors factors.yaml --period 2024 --out answer --json

  headrace emissions run --tenant acme --period 2024 --factors ours
"""
DEMO = """
Make 1,000 purchase lines, compute their inventory with the starter set and hold it against the truth; offline.

[bold]Examples[/bold]

  headrace emissions demo

  headrace emissions demo --out demo --json
"""


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("run", help=RUN)(run)
    group.command("demo", help=DEMO)(demo)


def run(
    lines: Annotated[Path | None, typer.Option("--lines", help="CSV or Parquet of lines.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the answer; made if it is not there.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose imported lines, in the place of a file.")
    ] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="YAML of choices, rates, indices, classes.")] = None,
    factors: Annotated[
        str, typer.Option("--factors", help="starter, a YAML file of members, or a kept set.")
    ] = "starter",
    period: Annotated[int | None, typer.Option("--period", help="Year; that of each line's date unless given.")] = None,
    maps: Annotated[list[str] | None, typer.Option("--map", help="ours=theirs, or a file of such lines.")] = None,
    draws: Annotated[int, typer.Option("--draws", min=0, max=1_000_000, help="Also simulate the total so often.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the simulation.")] = 1,
    as_json: AsJson = False,
) -> None:
    from core.errors import ConfigError
    from core.workloads.emissions.cli.factors import store_folder
    from core.workloads.emissions.inventory.lines import mapping_of
    from core.workloads.emissions.inventory.run import Request, prepare, write
    from core.workloads.emissions.inventory.run import run as run_ready

    if tenant is not None:
        if lines is not None or out is not None or maps or draws or period is None:
            raise ConfigError("--tenant takes --period, --policy and --factors; files are for a run with --lines")
        _run_stored(tenant, period, policy, factors, as_json)
        return
    if lines is None or out is None:
        raise ConfigError("name a file and a folder with --lines and --out, or imported lines with --tenant, --period")
    ready = prepare(Request(lines, policy, factors, period, mapping_of(maps or []), store_folder()))
    computed, summary = run_ready(ready, (draws, seed))
    write(out, ready, computed, summary)
    show(summary, out, as_json=as_json)


def _run_stored(tenant: str, period: int, policy: Path | None, factors: str, as_json: bool) -> None:
    from core.workloads.emissions.cli.inventories import run_stored, show_versions

    version = run_stored(tenant, period, policy, factors)
    summary = json.loads(version.summary)
    if as_json:
        print(json.dumps({"version": version.version, "state": version.state, **summary}, indent=2))
        return
    show(summary, None, as_json=False)
    print()
    show_versions([version], as_json=False)


def demo(
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Keep the files in this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    import tempfile

    from core.workloads.emissions.cli.evaluate import show as show_evaluated
    from core.workloads.emissions.inventory.evaluate import evaluate
    from core.workloads.emissions.inventory.run import Request, prepare, write
    from core.workloads.emissions.inventory.run import run as run_ready
    from core.workloads.emissions.made_purchases.files import write_purchases

    with tempfile.TemporaryDirectory() as scratch:
        folder = out or Path(scratch)
        write_purchases(1_000, 1, folder)
        started = time.perf_counter()
        ready = prepare(Request(folder / "lines.csv"))
        computed, summary = run_ready(ready)
        write(folder / "answer", ready, computed, summary)
        seconds = time.perf_counter() - started
        evaluated = evaluate(folder / "answer", folder / "truth.csv")
        if as_json:
            print(json.dumps({"summary": summary, "evaluation": evaluated, "seconds": round(seconds, 3)}, indent=2))
            return
        show(summary, folder / "answer" if out else None, as_json=False)
        show_evaluated(evaluated, as_json=False)


def show(summary: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Totals by category, fates with their amounts, and the interval."""
    from core.terminal.tables import emit

    if as_json:
        print(json.dumps(summary, indent=2))
        return
    head = f"{float(summary['total_kg']) / 1000:,.3f} t CO2e of {summary['lines']:,} lines"
    rows = [
        {"category": str(row["category"]), "lines": row["lines"], "t_co2e": f"{float(row['kg']) / 1000:,.3f}"}
        for row in summary["by_category"]
    ]
    emit(head, rows, as_json=False, empty="no line counts")
    fates = [
        {
            "fate": fate,
            "lines": facts["lines"],
            "amounts": ", ".join(f"{amount} {code}" for code, amount in facts["amounts"].items()),
        }
        for fate, facts in summary["by_fate"].items()
    ]
    print()
    emit("Every line has one fate", fates, as_json=False)
    low, high = (float(summary["interval"][end]) / 1000 for end in ("low_kg", "high_kg"))
    print(
        f"\n95 %: {low:,.3f} to {high:,.3f} t CO2e, under working assumptions; "
        f"{summary['to_review']:,} lines to look at"
    )
    if summary["screening"]:
        print(f"{summary['screening']}: good enough to find what matters, and for nothing else")
    if out is not None:
        print(f"written to {out}")
