"""An answer, the truth and the amounts as they stand in files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from core.currencies import exponents, to_minor
from core.errors import InputError, SchemaError

_ALLOCATIONS = {
    "payment_id": pl.String,
    "invoice_id": pl.String,
    "amount_minor": pl.Int64,
    "applied_minor": pl.Int64,
    "status": pl.String,
    "rank": pl.Int64,
    "residual_minor": pl.Int64,
    "posterior": pl.Float64,
}
_TRUTH = {"payment_id": pl.String, "invoice_id": pl.String, "amount_minor": pl.Int64, "slice": pl.String}
_TRUTH_TOO = {"residual_kind": pl.String, "residual_minor": pl.Int64}
LISTS = ("exceptions", "unapplied")


def read_allocations(folder: Path) -> pl.DataFrame:
    """What the run applied and suggested: allocations.parquet or .csv. Raises InputError, SchemaError."""
    found = _named(folder, "allocations")
    if found is None:
        raise InputError(
            f"{folder} has no allocations.parquet or allocations.csv; name the folder of --out", path=str(folder)
        )
    frame = _typed(found, _read(found), _ALLOCATIONS)
    return frame.with_columns(pl.col("residual_minor", "applied_minor").fill_null(0))


def read_listed(folder: Path) -> pl.DataFrame:
    """payment_id and list of the payments in the other lists; none where there is no such file."""
    parts = [pl.DataFrame(schema={"payment_id": pl.String, "list": pl.String})]
    for name in LISTS:
        if (path := _named(folder, name)) is not None:
            frame = _typed(path, _read(path), {"payment_id": pl.String})
            parts.append(frame.drop_nulls().with_columns(list=pl.lit(name)))
    return pl.concat(parts)


def read_truth(path: Path) -> pl.DataFrame:
    """The truth, with empty residuals where the file has none. Raises InputError, SchemaError."""
    frame = _read(path)
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in _TRUTH_TOO.items() if name not in frame.columns]
    frame = _typed(path, frame.with_columns(missing), _TRUTH | _TRUTH_TOO)
    return frame.with_columns(pl.col("residual_minor").fill_null(0), pl.col("residual_kind").fill_null(""))


def read_money(path: Path, *, required: bool) -> pl.DataFrame | None:
    """id, currency and minor of payments or invoices: what is open where that is told. None where no file is.

    minor is null where an amount is no plain decimal: what cannot be read is not checked.
    """
    if not required and not path.is_file():
        return None
    frame = _read(path)
    told = [name for name in ("open", "amount") if name in frame.columns]
    frame = _typed(path, frame, dict.fromkeys(("id", "currency", *(told or ["amount"])), pl.String))
    return frame.select("id", "currency", minor=to_minor(pl.coalesce(told), exponents(pl.col("currency"))))


def _named(folder: Path, name: str) -> Path | None:
    paths = (folder / f"{name}{suffix}" for suffix in (".parquet", ".csv"))
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path) -> pl.DataFrame:
    """A table: of CSV all cells as texts, empty ones as null. Raises InputError: it cannot be read."""
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} cannot be read: {type(error).__name__}", path=str(path)) from error


def _typed(path: Path, frame: pl.DataFrame, columns: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The columns as their types, and no others. Raises SchemaError: one is missing, or holds something else."""
    if lacking := [name for name in columns if name not in frame.columns]:
        raise SchemaError(
            f"{path} has no column {lacking[0]}; it has {', '.join(frame.columns)}",
            column=lacking[0],
            got=frame.columns,
        )
    try:
        return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{path}: a column holds what is no number: {', '.join(columns)}", path=str(path)) from error
