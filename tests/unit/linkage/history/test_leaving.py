"""Which records leave: what a file of ids may look like, and what is said of ids that are none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from core.errors import InputError
from core.linkage.history.base_run import Base
from core.linkage.history.leaving import Leaving, leaving_of
from core.linkage.request import MatchRequest

KNOWN = pl.Series("id", ["7", "8", "9", "A b"])


def leaving(path: Path) -> Leaving:
    request = MatchRequest(input=str(path), id_column="person", against="base.parquet", removed=str(path))
    return leaving_of(request, cast(Base, SimpleNamespace(out=Path("base.parquet"))), KNOWN, None)


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("person\n7\n9\n", ["7", "9"]),
        ("Customer No\n7\n", ["7"]),
        ("9\n7\n7\n", ["7", "9"]),
        ("A b\n", ["A b"]),
        ("person\n7.0\n8.5\n", ["7"]),
        ("why,person\nmoved,9\n,\n", ["9"]),
        ("\ufeffperson\r\n7\r\n", ["7"]),
        ('"8"\n"5, or 6"\n', ["8"]),
    ],
)
def test_ids_stand_in_the_only_column_or_in_that_of_the_records(tmp_path: Path, text: str, removed: list[str]) -> None:
    (tmp_path / "gone.csv").write_text(text, encoding="utf-8")
    found = leaving(tmp_path / "gone.csv")
    assert found.removed.to_list() == removed
    assert found.notices[0] == f"gone.csv: {len(removed)} records are removed"


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt8, pl.String, pl.Float64])
def test_ids_of_another_type_are_read_as_text(tmp_path: Path, dtype: Any) -> None:
    pl.DataFrame({"which": pl.Series([9, 7]).cast(dtype)}).write_parquet(tmp_path / "gone.parquet")
    assert leaving(tmp_path / "gone.parquet").removed.to_list() == ["7", "9"]


def test_ids_that_are_none_are_counted_and_not_named(tmp_path: Path) -> None:
    (tmp_path / "gone.csv").write_text("person\n7\n7\n7\nnobody\n")
    found = leaving(tmp_path / "gone.csv")
    assert found.notices[1:] == (
        "gone.csv: 2 ids stand there again; a record is removed once",
        "gone.csv: 1 ids are of no record of base.parquet, never there or removed before; passed over",
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"person\n", "no id stands in column 'person'"),
        (b"a,b\n7,8\n", "no column 'person'; give ids in a column of that name, or in the only one; there are: a, b"),
        (b"person\n7\0\n", "NUL"),
        (b"person\n7,8,9\n", "line 2"),
    ],
)
def test_a_file_that_names_no_ids_is_refused_in_words(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "gone.csv").write_bytes(content)
    with pytest.raises(InputError) as refused:
        leaving(tmp_path / "gone.csv")
    assert sentence in str(refused.value)
