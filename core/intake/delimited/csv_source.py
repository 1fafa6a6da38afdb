"""Takes a CSV: its rows are staged once as Parquet, only the columns that are used."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from core.errors import SchemaError
from core.intake.bad_rows import Quarantine
from core.intake.columns import ColumnPlan, joined
from core.intake.decoding.mojibake import Mended
from core.intake.decoding.plain_text import plain_text
from core.intake.delimited.csv_file import CsvFile
from core.intake.file_digest import changed, file_digest
from core.intake.opening import Opening
from core.intake.row_checks import ORIGIN, Batch, Intake, Taken, stage


def take_csv(opening: Opening, quarantine: Quarantine) -> Taken:
    """Check and stage every row. Raises as `open_source`."""
    with (
        plain_text(opening.path, opening.content, opening.reading, opening.staging_dir) as text,
        text.where.open("rb") as file,
    ):
        csv = CsvFile(opening.path, file, opening.reading)
        plan, mended = _plan(opening, csv), Mended()

        def fill(folder: Path) -> Intake:
            intake = Intake(opening, plan, quarantine, unit="line", raw=csv.raw, folder=folder)
            for block in csv.blocks(plan.needed):
                places = {"line": block.lines, "offset": block.offsets, "bytes": block.sizes}
                frame = block.frame.select(**joined({column: pl.col(column) for column in plan.needed}, plan))
                if not block.is_ascii:
                    # Ids stay as they are written: people look for them.
                    frame = mended.take(frame, list(plan.mapping))
                intake.add(Batch(frame, pl.DataFrame(places, schema=ORIGIN), block.faults))
            if text.is_file and opening.digest not in (None, csv.digest):
                raise changed(opening.path)
            intake.finish(intake.staged)
            return intake

        intake, folder = stage(opening.staging_dir, fill)
        digest = csv.digest if text.is_file else opening.digest or file_digest(opening.path)
        detected = {"format": "csv", **text.detected, **csv.detected()}
        return Taken(
            intake,
            digest,
            pl.String(),
            folder,
            detected,
            (*text.notices, *csv.notices(), *mended.notices(opening.path)),
        )


def _plan(opening: Opening, csv: CsvFile) -> ColumnPlan:
    try:
        return opening.plan(csv.columns)
    except SchemaError as error:
        if csv.dialect.proposal is None:
            raise
        fields = (*error.facts.get("fields", ()), "skip_lines")
        raise SchemaError(f"{opening.path}, {csv.dialect.proposal}", **error.facts | {"fields": fields}) from None
