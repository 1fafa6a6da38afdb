"""Bad rows of a Parquet file, as they are written to the side file."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from core.intake.columnar.left_out import scan_span
from core.intake.columnar.rows_again import RowsAgain

FRAME = pl.DataFrame(
    {
        "id": [f"A{number}" for number in range(6)],
        " day": [date(1985, 5, number + 1) for number in range(6)],
        "price": [Decimal(f"{number}.50") for number in range(6)],
        "list": [[number, None] for number in range(6)],
        "note": [None, "ä", "", " c ", "d", "e"],
    }
)


def again(tmp_path: Path) -> RowsAgain:
    FRAME.write_parquet(tmp_path / "rows.parquet")
    return RowsAgain([(tmp_path / "rows.parquet", pl.scan_parquet(tmp_path / "rows.parquet"), FRAME.columns)])


@pytest.mark.parametrize("columns", [FRAME.columns[:3], FRAME.columns[3:4], FRAME.columns], ids=len)
def test_rows_again_writes_a_row_the_same_whether_it_was_kept_or_is_read(tmp_path: Path, columns: list[str]) -> None:
    read = again(tmp_path)
    whole = read(0, [4, 1, 3], [0, 0, 0])
    read.keep(0, FRAME.select(columns)[1:5], 1, np.array([4, 1, 3]))

    assert read(0, [4, 1, 3], [0, 0, 0]) == whole
    assert json.loads(whole[1]) == {"id": "A1", " day": "1985-05-02", "price": "1.50", "list": [1, None], "note": "ä"}


def test_rows_again_reads_what_was_kept_of_one_row_only(tmp_path: Path) -> None:
    read = again(tmp_path)
    whole = read(0, [2, 5], [0, 0])
    read.keep(0, FRAME.select("id")[2:3], 2, np.array([2]))

    assert read(0, [2, 5], [0, 0]) == whole


def test_rows_again_reads_no_file_where_all_columns_were_kept(tmp_path: Path) -> None:
    read = again(tmp_path)
    read.keep(0, FRAME, 0, np.array([5]))
    (tmp_path / "rows.parquet").unlink()

    assert json.loads(read(0, [5], [0])[0])["id"] == "A5"


@pytest.mark.parametrize(("first", "end"), [(0, 6), (1, 5), (2, 3), (4, 6)])
def test_scan_span_leaves_out_rows_of_its_span_only(first: int, end: int) -> None:
    left_out = np.array([1, 4])

    kept = scan_span(FRAME.lazy(), first, end, left_out).collect()

    assert kept["id"].to_list() == [f"A{number}" for number in range(first, end) if number not in (1, 4)]
