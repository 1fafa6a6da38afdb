"""Splink on records of any kind: `python -m core.bench.matching.side_splink_columns`.

As its guide begins: for each column exact, two levels of Jaro-Winkler, else; candidates by equal values and by equal
first letters of a text; u from random pairs, m by EM. Order and answer are those of `side_tfidf`.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import redirect_stdout
from typing import Any

import duckdb
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from core.bench.harness.clock import Clock

LEVELS = (0.9, 0.8)
FIRST_LETTERS = 6


def main() -> None:
    """Do the one job."""
    order, out = json.loads(sys.stdin.readline()), sys.stdout
    logging.disable(logging.CRITICAL)
    # What a library prints must not get between our lines.
    with redirect_stdout(sys.stderr):
        answer = run(order)
    out.write(json.dumps(answer) + "\n")


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Train, predict, cluster; each timed."""
    settings, clock = order["settings"], Clock()
    columns, text = settings["columns"], settings["text"]
    linker = _linker(order["input"], columns, text, settings["threads"])
    clock.lap("read")
    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=settings["u_max_pairs"], seed=settings["seed"])
    # Each rule leaves its own column out; with one column m cannot be learnt, and Splink keeps what it begins with.
    for column in columns if len(columns) > 1 else ():
        training.estimate_parameters_using_expectation_maximisation(block_on(column))
    clock.lap("train")
    threshold = settings["threshold"]
    scored = linker.inference.predict(threshold_match_probability=threshold)
    pairs = scored.as_duckdbpyrelation()
    clock.lap("predict")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, threshold)
    clusters.as_duckdbpyrelation().project("id, cluster_id as entity_id").write_parquet(order["out"])
    pairs.project("id_l as id_a, id_r as id_b").write_parquet(order["pairs"])
    clock.lap("cluster")
    return {"stages": clock.seconds, "candidate_pairs": None, "version": duckdb.__version__}


def _linker(paths: list[str], columns: list[str], text: list[str], threads: int) -> Linker:
    connection = duckdb.connect()
    connection.execute("PRAGMA threads = " + str(int(threads)))
    rules = [block_on(column) for column in columns]
    rules += [block_on(f"substr({column}, 1, {FIRST_LETTERS})") for column in text]
    settings = SettingsCreator(
        link_type="dedupe_only" if len(paths) == 1 else "link_only",
        unique_id_column_name="id",
        comparisons=[comparisons.JaroWinklerAtThresholds(column, list(LEVELS)) for column in columns],
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=False,
    )
    api = DuckDBAPI(connection)
    tables = [
        api.register(connection.read_parquet(path), dataset_display_name=f"file_{number}")
        for number, path in enumerate(paths)
    ]
    return Linker(tables, settings, log_level=None)


if __name__ == "__main__":
    main()
