"""Takes what is read row by row: rows are staged once as Parquet, only the columns that are used."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from core.errors import SchemaError
from core.intake.bad_rows import Quarantine
from core.intake.checks.row_checks import ORIGIN, Batch, Intake, Taken, stage
from core.intake.columns import ColumnPlan, joined
from core.intake.decoding.mojibake import Mended
from core.intake.delimited.row_files import RowParts
from core.intake.file_digest import changed
from core.intake.opening import Opening
from core.intake.tables.block import Block
from core.intake.tables.json_file import JsonFile
from core.intake.tables.lists import refuse_lists
from core.intake.tables.part_files import input_digest


def take_rows(opening: Opening, quarantine: Quarantine) -> Taken:
    """Check and stage every row of every part. Raises as `open_source`."""
    with RowParts(opening.parts, opening.reading, opening.staging_dir) as parts:
        return _take(opening, parts, quarantine)


def _take(opening: Opening, parts: RowParts, quarantine: Quarantine) -> Taken:
    plan, mended = _plan(opening, parts), Mended()

    def fill(folder: Path) -> Intake:
        unit: Literal["line", "row"] = "row" if parts.kind == "sheet" else "line"
        intake = Intake(opening, plan, quarantine, unit=unit, raws=parts.raws, folder=folder)
        for number, file, block in parts.blocks(plan.needed):
            if isinstance(file, JsonFile):
                refuse_lists(file.path, file.lists, plan, opening.fields)
            intake.add(_batch(block, plan, number, mended))
        if parts.digest is not None and opening.digest not in (None, parts.digest):
            raise changed(opening.path)
        intake.finish(intake.staged)
        return intake

    intake, folder = stage(opening.staging_dir, fill)
    digest = parts.digest or opening.digest or input_digest(opening.parts)
    notices = (*parts.notices, *mended.notices(opening.path))
    return Taken(intake, digest, pl.String(), folder, parts.detected, notices)


def _batch(block: Block, plan: ColumnPlan, part: int, mended: Mended) -> Batch:
    places = {"line": block.lines, "offset": block.offsets, "bytes": block.sizes}
    origin = pl.DataFrame({"part": np.full(len(block.lines), part), **places}, schema_overrides=ORIGIN)
    text = block.frame.select(**joined({column: pl.col(column) for column in plan.needed}, plan))
    if not block.is_ascii:
        # Ids stay as they are written: people look for them.
        text = mended.take(text, list(plan.mapping))
    return Batch(text, origin, block.faults, part)


def _plan(opening: Opening, parts: RowParts) -> ColumnPlan:
    try:
        return opening.plan(parts.columns)
    except SchemaError as error:
        if parts.proposal is None:
            raise
        fields = (*error.facts.get("fields", ()), "skip_lines")
        raise SchemaError(f"{opening.parts[0].path}, {parts.proposal}", **error.facts | {"fields": fields}) from None
