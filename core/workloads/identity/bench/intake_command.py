"""`headrace bench intake`: the same persons in every form of file that is read."""

from __future__ import annotations

from typing import Annotated

import typer

from core.bench.harness.show import Out, show


def intake(
    rows: Annotated[int, typer.Option("--rows", min=1_000, help="Generated persons, 30 % duplicates.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator.")] = 7,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=50, help="Matches of each form, in turn.")] = 1,
    forms: Annotated[
        str, typer.Option("--forms", help="Only these (comma between), beside csv; bad: bad values.")
    ] = "",
    out: Out = None,
) -> None:
    """Rows a second of the whole match from each form of file, and the CPU that one bad value in a thousand rows costs.

    Example: headrace bench intake --rows 1000000 --rounds 5 --json out.json
    """
    import tempfile
    from dataclasses import asdict
    from pathlib import Path

    import polars as pl

    from core.errors import ConfigError
    from core.terminal.progress import rows_progress
    from core.workloads.identity.bench.intake import CSV, FORMS, measure_bad_values, measure_forms
    from core.workloads.identity.made_persons.generator import person_chunks
    from core.workloads.identity.made_persons.population import plan_population

    names = [form.name for form in FORMS] + ["bad"]
    wanted = [name.strip() for name in forms.split(",") if name.strip()] or names
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise ConfigError(f"--forms {', '.join(unknown)}: there are {', '.join(names)}")
    command = f"headrace bench intake --rows {rows} --seed {seed} --rounds {rounds}" + f" --forms {forms}" * bool(forms)
    with tempfile.TemporaryDirectory(prefix="headrace-intake-") as folder, rows_progress() as moved:
        persons = pl.concat(list(person_chunks(plan_population(rows, seed, 0.3)))).drop("entity_id")
        found = []
        chosen = [form for form in FORMS if form.name in wanted and form is not CSV]
        if chosen or "csv" in wanted:
            found += [asdict(taken) for taken in measure_forms(persons, Path(folder), chosen, rounds, moved)]
        if "bad" in wanted:
            found.append(asdict(measure_bad_values(persons, Path(folder), rounds, moved)))
    show(command, found, out)
