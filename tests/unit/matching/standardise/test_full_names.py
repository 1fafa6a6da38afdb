"""Parts of names that stand in one column."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.specs.spec import load_spec
from core.matching.standardise.full_names import name_part
from core.matching.standardise.normalise import normalise


@pytest.mark.parametrize(
    ("whole", "given", "middle", "surname"),
    [
        ("gerald burn", "gerald", None, "burn"),
        ("gerald maurice john burn", "gerald", "maurice john", "burn"),
        ("sir thomas clifford, 1st baron clifford of chudleigh", "thomas", "clifford clifford", "chudleigh"),
        ("clifford, thomas hugh", "thomas", "hugh", "clifford"),
        ("o'brien, mary", "mary", None, "obrien"),
        ("thomas clifford, 2nd earl", "thomas", None, "clifford"),
        ("rev. dr. john st. clair jr.", "john", "st", "clair"),
        ("john sinclair (physician)", "john", None, "sinclair"),
        ("miss butters", None, None, "butters"),
        ("payne", None, None, "payne"),
        ("lord", None, None, "lord"),
        ("иван иванов", "иван", None, "иванов"),
        ("محمد علي", "محمد", None, "علي"),
        ("(unknown)", None, None, None),
        ("   ", None, None, None),
        (None, None, None, None),
    ],
)
def test_name_part_finds_the_words(
    whole: str | None, given: str | None, middle: str | None, surname: str | None
) -> None:
    frame = pl.DataFrame({"name": pl.Series([whole], dtype=pl.String)})
    parts = frame.select(
        name_part(pl.col("name"), "given").alias("given"),
        name_part(pl.col("name"), "middle").alias("middle"),
        name_part(pl.col("name"), "surname").alias("surname"),
    )
    assert parts.row(0) == (given, middle, surname)


def test_normalise_takes_the_parts_from_the_whole_column() -> None:
    spec = load_spec("persons_freeform")
    frame = pl.DataFrame({name: pl.Series([None], dtype=pl.String) for name in spec.columns})
    assert spec.columns[0] == "full_name"
    frame = frame.with_columns(full_name=pl.lit(" Dr. ANN Maria  O'Brien-Lee "), dob=pl.lit("1856-86-18"))
    row = normalise(frame, spec).row(0, named=True)
    assert (row["given"], row["middle"], row["surname"]) == ("ann", "maria obrien", "lee")
    assert row["dob"] == 18568618
