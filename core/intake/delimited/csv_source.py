"""Takes a CSV: its rows are staged once as Parquet, only the columns that are used."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from core.errors import SchemaError
from core.intake.bad_rows import Quarantine
from core.intake.columns import ColumnPlan, joined
from core.intake.delimited.csv_file import CsvFile
from core.intake.opening import Opening
from core.intake.row_checks import ORIGIN, Batch, Intake, Taken, stage


def take_csv(opening: Opening, quarantine: Quarantine) -> Taken:
    """Check and stage every row. Raises as `open_source`."""
    with opening.path.open("rb") as file:
        csv = CsvFile(opening.path, file, opening.reading)
        plan = _plan(opening, csv)

        def fill(folder: Path) -> Intake:
            intake = Intake(opening, plan, quarantine, unit="line", raw=csv.raw, folder=folder)
            for block in csv.blocks(plan.needed):
                places = {"line": block.lines, "offset": block.offsets, "bytes": block.sizes}
                text = block.frame.select(**joined({column: pl.col(column) for column in plan.needed}, plan))
                intake.add(Batch(text, pl.DataFrame(places, schema=ORIGIN), block.faults))
            intake.finish(intake.staged)
            return intake

        intake, folder = stage(opening.staging_dir, fill)
        detected = {"format": "csv", **csv.detected()}
        return Taken(intake, csv.digest, pl.String(), folder, detected, tuple(csv.notices()))


def _plan(opening: Opening, csv: CsvFile) -> ColumnPlan:
    try:
        return opening.plan(csv.columns)
    except SchemaError as error:
        if csv.dialect.proposal is None:
            raise
        fields = (*error.facts.get("fields", ()), "skip_lines")
        raise SchemaError(f"{opening.path}, {csv.dialect.proposal}", **error.facts | {"fields": fields}) from None
