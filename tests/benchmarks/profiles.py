"""How well persons of each profile are matched: `python -m tests.benchmarks.profiles --rows 200 2000 --seeds 10`.

Pairs of all seeds of a profile and size are counted together. Figures go to docs/explain/people-told-apart.md.
"""

from __future__ import annotations

import argparse

import polars as pl

import headrace
from core.made_records.persons.generator import generate_persons
from core.made_records.persons.profiles import PROFILES

DUPLICATES = 0.3


def pairs_of(labels: list[str], frame: pl.DataFrame) -> int:
    """Pairs of rows that agree in all the columns."""
    return int(frame.group_by(labels).len().select((pl.col("len") * (pl.col("len") - 1) // 2).sum()).item())


def counted(rows: int, seed: int, profile: str) -> tuple[int, int, int]:
    """(true pairs, pairs found, pairs found that are true) of one file."""
    persons = generate_persons(rows, seed, DUPLICATES, profile)
    with headrace.match(persons.drop("entity_id"), id="id", quiet=True) as result:
        found = result.entities.select("id", found="entity_id")
    both = persons.select("id", true="entity_id").join(found, on="id")
    return pairs_of(["true"], both), pairs_of(["found"], both), pairs_of(["true", "found"], both)


def main() -> None:
    """Print a line of the table in the docs for each profile and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 2_000, 20_000])
    parser.add_argument("--seeds", type=int, default=10, help="seeds 1 to this")
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES), choices=PROFILES)
    options = parser.parse_args()
    print(
        "| profile | rows | seeds | precision | recall | F1 | lowest precision |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for rows in options.rows:
        for profile in options.profiles:
            counts = [counted(rows, seed, profile) for seed in range(1, options.seeds + 1)]
            true, found, right = (sum(column) for column in zip(*counts, strict=True))
            shares = right / max(found, 1), right / max(true, 1), 2 * right / max(true + found, 1)
            lowest = min(good / max(made, 1) for _, made, good in counts)
            figures = " | ".join(f"{share:.4f}" for share in (*shares, lowest))
            print(f"| {profile} | {rows:,} | {options.seeds} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
