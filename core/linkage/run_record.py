"""The files of a finished match: where they stand, what format they have, and the record of the run among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from core.intake.tables.csv_for_excel import is_csv_for_excel, scan_csv_for_excel, sink_csv_for_excel
from core.intake.tables.workbook import is_workbook, read_workbook, write_workbook
from core.linkage.description import JobDescription
from core.matching.scoring.model import Model

FORMATS = (".parquet", ".csv", ".xlsx")
_NUMBERS = ("score", "confidence", "tf_bits")


class RunRecord(BaseModel):
    """What `OUT.run.json` says of a run, for whatever goes on from it. Runs of older versions lack what has a default.

    passes: figures of each pass; completeness: share of records with a value, by field.
    """

    model_config = ConfigDict(frozen=True)

    job: JobDescription
    model: Model
    window: int
    placeholders: dict[str, list[int]]
    summary: dict[str, Any] = Field(default_factory=dict)
    passes: list[dict[str, Any]] | None = None
    completeness: dict[str, float] = Field(default_factory=dict)


def unused_passes(planned: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of the wide passes that a run had no room for, by the figures of its passes."""
    return tuple(each["name"] for each in planned if not each.get("used", True))


def beside(out: Path, kind: str) -> Path:
    """`people.pairs.parquet` beside `people.parquet`, for kind `pairs`."""
    return out.with_name(f"{out.stem}.{kind}{out.suffix}")


def run_path(out: Path) -> Path:
    """Where the record of the run goes."""
    return out.with_name(f"{out.stem}.run.json")


def read_record(out: Path) -> RunRecord:
    """Read the record of the run that wrote `out`.

    Raises:
        OSError: it cannot be read. ValueError: it is no record of a run by this version.
    """
    return RunRecord.model_validate(orjson.loads(run_path(out).read_bytes()))


def stored_model(path: Path) -> Model:
    """Read the model in the record of a run, or in a file that holds nothing else. Raises as `read_record`."""
    content = orjson.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no object")
    return Model.model_validate(content.get("model", content))


def sink_table(
    frame: pl.LazyFrame,
    part: Path,
    out: Path,
    *,
    for_excel: bool = False,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Stream a frame into a part of `out`, in the format of that: what is in memory is bounded.

    Args:
        for_excel: a CSV is written as Excel opens it.
        choices: what may be chosen in the cells of some columns of a workbook.
    Raises:
        InputError: it does not fit a sheet.
    """
    if is_workbook(out):
        write_workbook(frame, part, out, choices)
    elif not is_csv(out):
        frame.sink_parquet(part, compression_level=1)
    elif for_excel:
        sink_csv_for_excel(frame, part)
    else:
        frame.sink_csv(part)


def is_csv(path: Path) -> bool:
    """Whether a file of a match is written and read as CSV."""
    return path.suffix.lower() == ".csv"


def holds_text(path: Path) -> bool:
    """Whether all columns of a file of a match are read as text: all but those of Parquet."""
    return is_csv(path) or is_workbook(path)


def scan_table(path: Path) -> pl.LazyFrame:
    """One of the tables of a finished match; all columns of a CSV or a workbook are text."""
    if is_workbook(path):
        return read_workbook(path).lazy()
    if not is_csv(path):
        return pl.scan_parquet(path)
    return scan_csv_for_excel(path, _NUMBERS) if is_csv_for_excel(path) else pl.scan_csv(path, infer_schema=False)


def read_table(path: Path) -> pl.DataFrame:
    """As `scan_table`, in memory."""
    return scan_table(path).collect()
