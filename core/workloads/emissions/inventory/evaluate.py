"""An answer held against the truth of made lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.errors import InputError, SchemaError
from core.intake.whole_columns import read_table
from core.workloads.emissions.inventory.run import LINES
from core.workloads.emissions.inventory.summary import kg_text

_TRUTH: Final = ("line_id", "entity", "category", "kg", "fate", "slice")
_RIGHT: Final = 1e-4
"""Relative: within 0.01 % of the true mass."""


def evaluate(folder: Path, truth: Path) -> dict[str, Any]:
    """Figures by slice and over all.

    Raises InputError: the folder holds no lines, or lines and truth are not the same ones. SchemaError: a column lacks.
    """
    if not (folder / LINES).is_file():
        raise InputError(f"{folder} holds no {LINES}; `headrace emissions run --out {folder}` makes it")
    known = read_table(truth)
    if missing := [name for name in ("line_id", "kg", "fate") if name not in known.columns]:
        raise SchemaError(f"{truth} has no column {missing[0]!r}", column=missing[0], got=known.columns)
    known = known.with_columns(pl.lit(None, pl.String).alias(name) for name in _TRUTH if name not in known.columns)
    answer = pl.read_parquet(folder / LINES)
    joined = known.select(_TRUTH).join(answer, on="line_id", how="left", suffix="_found", maintain_order="left")
    if unknown := int(joined["fate_found"].is_null().sum()):
        raise InputError(f"{truth} has {unknown:,} lines that {folder} has not; is it the truth of another run?")
    joined = joined.with_columns(
        truth_mg=(pl.col("kg").cast(pl.Decimal(38, 6)) * 1_000_000).cast(pl.Int64),
        slice=pl.col("slice").fill_null("all"),
    )
    return {
        "slices": [_slice(name, part) for (name,), part in sorted(joined.group_by("slice"))],
        **_whole(joined),
        **_entities(joined),
    }


def _slice(name: Any, lines: pl.DataFrame) -> dict[str, Any]:
    marks = lines.with_columns(
        counts=pl.col("fate_found") == "counted", should=pl.col("fate") == "counted", is_right=_right_mass()
    )
    caught = ~pl.col("counts") | (pl.col("is_right") & pl.col("review"))
    should = pl.col("should")
    return {
        "slice": name,
        "lines": len(lines),
        "fate_right": int(marks.select((pl.col("fate") == pl.col("fate_found")).sum()).item()),
        "mass_right": int(marks.filter(should)["is_right"].sum()),
        "of_counted": int(marks["should"].sum()),
        "caught": int(marks.filter(~should).select(caught.sum()).item()),
        "of_traps": int((~marks["should"]).sum()),
        "off_kg": kg_text(int(lines["mass_mg"].fill_null(0).sum()) - int(lines["truth_mg"].fill_null(0).sum())),
    }


def _right_mass() -> pl.Expr:
    off = (pl.col("mass_mg") - pl.col("truth_mg")).abs()
    return (off <= (pl.col("truth_mg").abs() * _RIGHT).clip(1)).fill_null(False)


def _whole(joined: pl.DataFrame) -> dict[str, Any]:
    found, true = (int(joined[name].fill_null(0).sum()) for name in ("mass_mg", "truth_mg"))
    counted = joined.filter((pl.col("fate_found") == "counted") & pl.col("category").is_not_null())
    categories = counted.select((pl.col("category").cast(pl.Int32) == pl.col("category_found")).mean()).item()
    return {
        "total_kg": kg_text(found),
        "truth_kg": kg_text(true),
        "total_off_percent": f"{Decimal(abs(found - true) * 100) / Decimal(abs(true) or 1):.6f}",
        "fates_right_percent": f"{100 * joined.select((pl.col('fate') == pl.col('fate_found')).mean()).item():.3f}",
        "categories_right_percent": f"{100 * (categories or 0.0):.3f}",
    }


def _entities(joined: pl.DataFrame) -> dict[str, Any]:
    """Pairs of lines: how many that the answer joins are one supplier, and how many of one supplier it joins."""
    lines = joined.filter(pl.col("entity").is_not_null() & pl.col("supplier_entity").is_not_null())
    pairs = {
        name: sum(size * (size - 1) // 2 for size in lines.group_by(keys).len()["len"])
        for name, keys in (
            ("true", ["entity"]),
            ("found", ["supplier_entity"]),
            ("both", ["entity", "supplier_entity"]),
        )
    }
    return {
        "entity_pairs_precision": f"{pairs['both'] / pairs['found']:.4f}" if pairs["found"] else "1.0000",
        "entity_pairs_recall": f"{pairs['both'] / pairs['true']:.4f}" if pairs["true"] else "1.0000",
    }
