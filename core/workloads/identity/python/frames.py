"""Records as a notebook holds them: frames of polars or pandas, or paths of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from typing_extensions import TypeVar

from core.errors import ConfigError

ROW = "row"
"""The id of a frame without one: its rows, counted from 0."""


F = TypeVar("F", default=pl.DataFrame)
"""The kind of frame that is given and given back: polars.DataFrame or pandas.DataFrame, the first for files."""


def is_pandas(records: Any) -> bool:
    """Whether it is a frame of pandas."""
    return hasattr(records, "iloc") and hasattr(records, "columns")


def as_polars(records: Any) -> pl.DataFrame | None:
    """A frame as one of polars; None for anything else.

    Cost: pandas' columns are copied; those of Python objects value by value.
    """
    if isinstance(records, pl.LazyFrame):
        return records.collect()
    if isinstance(records, pl.DataFrame):
        return records
    if not is_pandas(records):
        return None
    try:
        return pl.from_pandas(records)
    except (ImportError, pl.exceptions.PolarsError, ValueError, TypeError):
        # Without pyarrow, or with columns of mixed kinds: text is what is compared in any case.
        return pl.DataFrame({str(name): _texts(records[name]) for name in records.columns})


def _texts(column: Any) -> list[str | None]:
    return [None if missing else str(value) for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def as_pandas(frame: pl.DataFrame) -> Any:
    """A frame of pandas. Raises ConfigError: pandas is not installed."""
    try:
        import pandas as pd
    except ImportError:
        raise ConfigError("pandas is not installed: pip install pandas") from None
    return pd.DataFrame({name: frame[name].to_list() for name in frame.columns})


def as_file(records: Any, folder: Path, name: str, id_column: str | None) -> tuple[Path, str]:
    """The file of some records and the column of their ids; a frame is written into `folder`.

    A frame without an id is given its row numbers.

    Raises:
        ConfigError: it is neither frame nor path, or a frame has no column of that name.
    """
    if isinstance(records, str | Path):
        return Path(records), id_column or "id"
    frame = as_polars(records)
    if frame is None:
        raise ConfigError(
            f"records are a polars or pandas frame, or a path; got {type(records).__module__}.{type(records).__name__}"
        )
    column = id_column or ("id" if "id" in frame.columns else ROW)
    if column == ROW and ROW not in frame.columns:
        frame = frame.with_row_index(ROW)
    if column not in frame.columns:
        raise ConfigError(f"the frame has no column {column!r} (`id`); it has: {', '.join(frame.columns)}")
    path = folder / f"{name}.parquet"
    frame.write_parquet(path, compression="lz4")
    return path, column


def listed(given: Any) -> list[Any]:
    """None, one thing or several as a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]


def said_of_each(name: str, given: Any, n_links: int) -> tuple[Any, ...]:
    """What is said of each thing linked, in their order: one said of all is said of each; nothing is nothing.

    Raises:
        ConfigError: it is said of more or fewer than are linked.
    """
    if given is None:
        return ()
    each = (given,) * n_links if isinstance(given, str | Mapping) else tuple(given)
    if len(each) != n_links or not each:
        raise ConfigError(f"{name} says it of {len(each) or 1}, but `link` has {n_links}", fields=("link",))
    return each


def numbered(given: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Each thing with a file's name for it."""
    yield from ((f"records-{number}", each) for number, each in enumerate(given))
