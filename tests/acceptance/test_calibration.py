"""Stated figures hold: of the pairs said to be right with 90 %, nine in ten are; the recall is as estimated."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.made_records.persons.generator import generate_persons

BINS = 10


def calibration_error(pairs: pl.DataFrame) -> float:
    """Expected calibration error over ten equal bins of confidence, each weighed by its pairs.

    Args:
        pairs: `confidence` in [0, 1], `same` (Boolean, the truth).
    Source: Naeini, Cooper & Hauskrecht (2015), AAAI, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    binned = pairs.group_by((pl.col("confidence") * BINS).floor().clip(0, BINS - 1)).agg(
        pl.len(), said=pl.col("confidence").mean(), true=pl.col("same").mean()
    )
    return float(((binned["said"] - binned["true"]).abs() * binned["len"]).sum() / pairs.height)


def test_the_measure_itself() -> None:
    pairs = pl.DataFrame({"confidence": [0.95] * 20, "same": [True] * 19 + [False]})
    assert calibration_error(pairs) == pytest.approx(0.0)
    assert calibration_error(pairs.with_columns(same=pl.lit(False))) == pytest.approx(0.95)


def pairs_of(frame: pl.DataFrame, labels: list[str]) -> int:
    """Pairs of rows that agree in all the columns."""
    return int(frame.group_by(labels).len().select((pl.col("len") * (pl.col("len") - 1) // 2).sum()).item())


def assert_recall_holds(recall: dict[str, float], persons: pl.DataFrame, found: pl.DataFrame, within: float) -> None:
    both = persons.select("id", true="entity_id").join(found.select("id", "entity_id"), on="id")
    true = pairs_of(both, ["true", "entity_id"]) / pairs_of(both, ["true"])
    assert recall["recall_estimate"] == pytest.approx(true, abs=within)
    assert recall["recall_low"] <= true <= recall["recall_high"]
    assert recall["recall_low"] <= recall["recall_estimate"] <= recall["recall_high"]


@pytest.mark.parametrize(("profile", "seed"), [("families", 3), ("crm", 4), ("registry", 3)])
def test_recall_of_people_who_are_hard_to_tell_apart_is_between_its_bounds(
    tmp_path: Path, profile: str, seed: int
) -> None:
    """Where a third of a file is not found, the run does not claim to have found nearly all."""
    persons = generate_persons(4_000, seed=seed, duplicates=0.3, profile=profile)
    persons.drop("entity_id").write_parquet(tmp_path / "persons.parquet")
    request = MatchRequest(input=str(tmp_path / "persons.parquet"), id_column="id", out=str(tmp_path / "out.parquet"))
    summary = resolve(request, tmp_path / "work", threads=2)
    assert_recall_holds(summary["recall"], persons, pl.read_parquet(tmp_path / "out.parquet"), within=0.08)


@pytest.mark.parametrize(("rows", "seed"), [(30_000, 3), (60_000, 11)])
def test_confidence_of_made_persons_holds(tmp_path: Path, rows: int, seed: int) -> None:
    persons = generate_persons(rows, seed=seed, duplicates=0.3)
    persons.write_parquet(tmp_path / "persons.parquet")
    request = MatchRequest(input=str(tmp_path / "persons.parquet"), id_column="id", out=str(tmp_path / "out.parquet"))
    summary = resolve(request, tmp_path / "work", threads=2)
    assert_recall_holds(summary["recall"], persons, pl.read_parquet(tmp_path / "out.parquet"), within=0.01)
    truth = persons.select("id", "entity_id")
    pairs = pl.read_parquet(tmp_path / "out.pairs.parquet").select("id_a", "id_b", "confidence")
    for side in ("a", "b"):
        pairs = pairs.join(truth.rename({"id": f"id_{side}", "entity_id": f"true_{side}"}), on=f"id_{side}")
    pairs = pairs.with_columns(same=pl.col("true_a") == pl.col("true_b"))
    assert pairs.height > rows / 5
    assert calibration_error(pairs) < 0.02
    # Where it is least certain there are few pairs, but what it says must not be upside down.
    unsure = pairs.filter(pl.col("confidence") < 0.9)
    assert unsure["same"].mean() < pairs.filter(pl.col("confidence") >= 0.9)["same"].mean()
