"""Splink on DuckDB, run as its documentation shows: `python -m core.bench.matching.side_splink`.

The process reads `{"input": ..., "out": ..., "settings": {...}}` from standard input, writes id and entity_id of every
record to `out`, and prints one line of JSON: stages (seconds), candidate pairs and version. Of ours it imports no more
than a stop-watch, so that memory and time are Splink's. Why these settings: decision 0030.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import duckdb
import splink.comparison_level_library as levels
from splink import ColumnExpression, DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison

from core.bench.harness.clock import Clock

# The rules and levels of specs/six_rules.yaml, in its order.
RULES = (
    ("ssn",),
    ("email",),
    ("phone", "first_name"),
    ("dob", "last_name"),
    ("dob", "first_name"),
    ("first_name", "last_name", "zip"),
)
TERM_FREQUENCY = {"first_name", "last_name", "city"}
LEVELS: dict[str, tuple[Any, ...]] = {
    "first_name": ((levels.JaroWinklerLevel, 0.92), (levels.JaroWinklerLevel, 0.8)),
    "last_name": ((levels.JaroWinklerLevel, 0.92), (levels.JaroWinklerLevel, 0.8)),
    "dob": ((levels.DamerauLevenshteinLevel, 1), ("year", None)),
    "ssn": ((levels.DamerauLevenshteinLevel, 1), (levels.DamerauLevenshteinLevel, 2)),
    "phone": ((levels.DamerauLevenshteinLevel, 1),),
    "street": ((levels.JaroWinklerLevel, 0.9), (levels.JaroWinklerLevel, 0.8)),
    "city": ((levels.JaroWinklerLevel, 0.88),),
    "state": (),
    "zip": ((levels.DamerauLevenshteinLevel, 1),),
    "email": ((levels.JaroWinklerLevel, 0.88),),
}


def main() -> None:
    """Do the one job."""
    order = json.loads(sys.stdin.readline())
    # What a library prints must not get between our lines.
    out, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    print(json.dumps(run(order)), file=out)


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Train, block, predict, cluster; each timed."""
    settings, clock = order["settings"], Clock()
    linker = _linker(order["input"], settings["threads"])
    clock.lap("read")
    _train(linker, settings)
    clock.lap("train")
    pairs = linker.inference.compute_blocked_pairs_for_predict().as_duckdbpyrelation().shape[0]
    clock.lap("block")
    scored = linker.inference.predict(threshold_match_probability=settings["threshold"])
    clock.lap("predict")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, settings["threshold"])
    clock.lap("cluster")
    clusters.as_duckdbpyrelation().project("id, cluster_id as entity_id").write_parquet(order["out"])
    clock.lap("write")
    return {"stages": clock.seconds, "candidate_pairs": pairs, "version": duckdb.__version__}


def _linker(path: str, threads: int) -> Linker:
    """Rules and comparisons for the columns that there are."""
    connection = duckdb.connect()
    connection.execute("PRAGMA threads = " + str(int(threads)))
    records = connection.read_parquet(path)
    columns = set(records.columns)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[_comparison(name) for name in LEVELS if name in columns],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in RULES if columns.issuperset(rule)],
        retain_matching_columns=False,
    )
    return Linker(DuckDBAPI(connection).register(records), settings, log_level=None)


def _comparison(name: str) -> CustomComparison:
    found = [levels.NullLevel(name), levels.ExactMatchLevel(name, term_frequency_adjustments=name in TERM_FREQUENCY)]
    for level, threshold in LEVELS[name]:
        if level == "year":
            found.append(levels.ExactMatchLevel(ColumnExpression(name).substr(1, 4)))
        else:
            found.append(level(name, threshold))
    return CustomComparison(output_column_name=name, comparison_levels=[*found, levels.ElseLevel()])


def _train(linker: Linker, settings: dict[str, Any]) -> None:
    """The prior from sure rules, u from random pairs, m by EM under two rules that leave each other's fields free."""
    training = linker.training
    sure = [block_on(*rule) for rule in settings["prior_rules"]]
    training.estimate_probability_two_random_records_match(sure, recall=settings["prior_recall"])
    training.estimate_u_using_random_sampling(max_pairs=settings["u_max_pairs"], seed=settings["seed"])
    for rule in settings["em_rules"]:
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), estimate_without_term_frequencies=True, max_pairs=settings["em_max_pairs"]
        )


if __name__ == "__main__":
    main()
