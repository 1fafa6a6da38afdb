"""`headrace bench intake`: the same persons in every form of file that is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.bench.harness.show import Json, Out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.workloads.identity.bench.intake import BadValues, Taken


def intake(
    rows: Annotated[int, typer.Option("--rows", min=1_000, help="Generated persons, 30 % duplicates.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator.")] = 7,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=50, help="Matches of each form, in turn.")] = 1,
    forms: Annotated[
        str, typer.Option("--forms", help="Only these (comma between), beside csv; bad: bad values.")
    ] = "",
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Rows a second of the whole match from each form of file, and the CPU that one bad value in a thousand rows costs.

    Example: headrace bench intake --rows 1000000 --rounds 5 --out figures.json
    """
    import tempfile

    import polars as pl

    from core.errors import ConfigError
    from core.made_records.persons.generator import person_chunks
    from core.made_records.persons.population import plan_population
    from core.terminal.progress import rows_progress
    from core.workloads.identity.bench.intake import CSV, FORMS, measure_bad_values, measure_forms

    names = [form.name for form in FORMS] + ["bad"]
    wanted = [name.strip() for name in forms.split(",") if name.strip()] or names
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise ConfigError(f"--forms {', '.join(unknown)}: there are {', '.join(names)}")
    command = f"headrace bench intake --rows {rows} --seed {seed} --rounds {rounds}" + f" --forms {forms}" * bool(forms)
    with tempfile.TemporaryDirectory(prefix="headrace-intake-") as folder, rows_progress() as moved:
        persons = pl.concat(list(person_chunks(plan_population(rows, seed, 0.3)))).drop("entity_id")
        taken: list[Taken] = []
        bad: BadValues | None = None
        chosen = [form for form in FORMS if form.name in wanted and form is not CSV]
        if chosen or "csv" in wanted:
            taken = measure_forms(persons, Path(folder), chosen, rounds, moved)
        if "bad" in wanted:
            bad = measure_bad_values(persons, Path(folder), rounds, moved)
    print_figures(command, taken, bad, out or json_file)


def print_figures(command: str, taken: Sequence[Taken], bad: BadValues | None, out: Path | None) -> None:
    """Print what was measured, forms as a table, and write it with command and machine to `out`."""
    import json
    import platform
    from dataclasses import asdict

    from core.metrics.process import usable_cores
    from core.terminal.tables import emit

    machine = f"{usable_cores()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if out is not None:
        found = [asdict(form) for form in taken] + ([] if bad is None else [asdict(bad)])
        found = [figures | {"command": command, "machine": machine} for figures in found]
        out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"{command}\n{machine}")
    if taken:
        emit("", [_line(form) for form in taken], as_json=False)
    for form in taken:
        if form.note:
            print(f"{form.form}: {form.note}")
    if bad is not None:
        said = f"{bad.bad:,} bad values in {bad.rows:,} rows cost {bad.percent:+.1f} % CPU"
        print(f"{said} ({bad.clean_cpu_s:.2f} s without, {bad.bad_cpu_s:.2f} s with)")


def _line(form: Taken) -> dict[str, str]:
    return {
        "form": form.form,
        "rows": f"{form.rows:,}",
        "MB": f"{form.file_mb:,.1f}",
        "seconds": f"{form.seconds:.2f}",
        "CPU s": f"{form.cpu_s:.2f}",
        "rows/s": f"{form.rows_per_s:,.0f}",
        "% of csv": f"{form.percent_of_csv:.0f}",
    }
