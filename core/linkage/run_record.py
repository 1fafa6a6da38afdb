"""Where the files of a finished match stand."""

from __future__ import annotations

from pathlib import Path


def beside(out: Path, kind: str) -> Path:
    """`people.pairs.parquet` beside `people.parquet`, for kind `pairs`."""
    return out.with_name(f"{out.stem}.{kind}{out.suffix}")


def run_path(out: Path) -> Path:
    """Where the record of the run goes."""
    return out.with_name(f"{out.stem}.run.json")
