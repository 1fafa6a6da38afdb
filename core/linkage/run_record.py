"""The files of a finished match: where they stand, what format they have, and the record of the run among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from core.linkage.description import JobDescription
from core.matching.scoring.model import Model

FORMATS = (".parquet", ".csv")


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


def is_csv(path: Path) -> bool:
    """Whether a file of a match is written and read as CSV; Parquet otherwise."""
    return path.suffix.lower() == ".csv"


def scan_table(path: Path) -> pl.LazyFrame:
    """One of the tables of a finished match; all columns of a CSV are text."""
    return pl.scan_csv(path, infer_schema=False) if is_csv(path) else pl.scan_parquet(path)


def read_table(path: Path) -> pl.DataFrame:
    """As `scan_table`, in memory."""
    return pl.read_csv(path, infer_schema=False) if is_csv(path) else pl.read_parquet(path)
