"""Columns that say nothing, or one value in two rows of five: no giant entity, no failure, no loss."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.matching.quality.evaluation import Evaluation, evaluate_labels

SYLLABLES = ("al", "ber", "cor", "dan", "el", "far", "gil", "hol", "in", "jar", "kel", "lor", "mar", "nor", "os", "pen")
N_PERSONS = 1_200


def _persons() -> pl.DataFrame:
    """1,200 persons; every third has a second row with one slip in the surname."""
    draw = random.Random(17)
    rows: list[dict[str, Any]] = []
    for number in range(N_PERSONS):
        row = {
            "person": number,
            "first_name": "".join(draw.sample(SYLLABLES, 2)),
            "last_name": "".join(draw.sample(SYLLABLES, 3)),
            "dob": f"{draw.randint(1930, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
            "ssn": str(draw.randint(10**8, 6 * 10**8)),
            "phone": str(draw.randint(2 * 10**9, 9 * 10**9)),
            "street": f"{draw.randint(1, 900)} {''.join(draw.sample(SYLLABLES, 2))} st",
            "city": "".join(draw.sample(SYLLABLES, 2)),
            "zip": str(draw.randint(10_000, 99_999)),
            "email": f"{draw.randint(0, 10**9)}@mail.example",
        }
        rows.append(row)
        if number % 3 == 0:
            rows.append({**row, "last_name": row["last_name"][:-1] + "x", "phone": None})
    draw.shuffle(rows)
    return pl.DataFrame(rows).with_row_index("no")


def _matched(frame: pl.DataFrame, folder: Path) -> tuple[Evaluation, dict[str, Any]]:
    file, out = folder / "in.parquet", folder / "out.parquet"
    frame.write_parquet(file)
    summary = resolve(MatchRequest(input=str(file), id_column="no", out=str(out)), folder / "work")
    found = pl.read_parquet(out)
    assert found["id"].to_list() == frame["no"].to_list()
    return evaluate_labels(found["entity_id"], frame["person"]), summary


def _shared(name: str, value: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """One value in two rows of five."""
    return lambda frame: frame.with_columns(
        pl.when(pl.col("no") % 5 < 2).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone", "2125550187"),
        ("ssn", "401223344"),
        ("email", "info@clinic.example"),
        ("dob", "1970-01-01"),
        ("street", "1 main st"),
        ("zip", "10001"),
        ("last_name", "smith"),
        ("first_name", "baby"),
    ],
)
def test_value_shared_by_two_rows_in_five_makes_no_giant(name: str, value: str, tmp_path: Path) -> None:
    quality, summary = _matched(_persons().pipe(_shared(name, value)), tmp_path)
    told = any(notice.startswith(f"{name}: ") and "taken as missing" in notice for notice in summary["notices"])
    assert told == (name in {"phone", "ssn", "email", "dob"})
    assert summary["clusters"]["largest"] <= 4
    assert quality.pairwise.precision >= 0.97
    assert quality.pairwise.recall >= 0.85


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone", "2125550187"),
        ("ssn", "401223344"),
        ("dob", "1980-02-03"),
        ("street", "1 main st"),
        ("last_name", "smith"),
    ],
)
def test_constant_column_changes_little(name: str, value: str, tmp_path: Path) -> None:
    quality, summary = _matched(_persons().with_columns(pl.lit(value).alias(name)), tmp_path)
    assert summary["clusters"]["largest"] <= 4
    assert quality.pairwise.precision >= 0.97
    assert quality.pairwise.recall >= 0.85


def test_column_without_any_value_is_left_out_by_name(tmp_path: Path) -> None:
    frame = _persons().with_columns(pl.lit(None, dtype=pl.String).alias("zip"))
    quality, summary = _matched(frame, tmp_path)
    assert any("zip" in notice and "empty" in notice for notice in summary["notices"]), summary["notices"]
    assert quality.pairwise.precision >= 0.97
    assert quality.pairwise.recall >= 0.85


NAMES = (
    "Иван Петров", "محمد العلي", "王小明", "さくら 田中", "김민준", "Ωμέγα Νίκος", "שלום כהן", "😀 🎉", "a" * 1_000,
    "ﬁnn ﬃ",
    "Zoë‎Ñúñez", "नरेंद्र शर्मा",
)  # fmt: skip


def test_names_of_any_script_and_length_are_matched(tmp_path: Path) -> None:
    persons = _persons().head(800)
    frame = persons.with_columns(
        first_name=pl.Series([NAMES[person % len(NAMES)] for person in persons["person"]]),
        last_name=pl.Series([NAMES[(person * 7 + 1) % len(NAMES)] + str(person) for person in persons["person"]]),
    )
    quality, _ = _matched(frame, tmp_path)
    assert quality.pairwise.f1 >= 0.99
