"""How well each kind of made records is matched, beside plain TF-IDF: `python -m tests.benchmarks.kinds --rows 4000`.

Means over the seeds; figures go to docs/explain/accuracy.md. One set by itself: `headrace bench match --kind songs
--rows 4000 --seed 3`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from core.bench.matching.kinds import measure_kind, setups_of
from core.bench.matching.match import MatchMeasured
from core.linkage.warm import warm
from core.made_records.kinds import KINDS


def line(name: str, runs: Sequence[Sequence[MatchMeasured]]) -> str:
    """A row of the table: means of each system's scores, and its lowest and highest F1."""
    cells = []
    for of_system in zip(*runs, strict=True):
        precision, recall, f1 = (
            sum(getattr(run, score) for run in of_system) / len(of_system) for score in ("precision", "recall", "f1")
        )
        scores = [run.f1 for run in of_system]
        cells.append(f"{precision:.2f} | {recall:.2f} | {f1:.3f} | {min(scores):.2f}-{max(scores):.2f}")
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print a row for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--seeds", type=int, default=5, help="seeds 1 to this")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--peers", nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    warm()
    for name in options.kinds:
        setups = setups_of(KINDS[name], options.peers, options.threads)
        if name == options.kinds[0]:
            print("| kind | " + " | ".join(f"{setup.system}: P | R | F1 | F1 of a seed" for setup in setups) + " |")
            print("|---|" + "---:|" * 4 * len(setups))
        seeds = range(1, options.seeds + 1)
        runs = [measure_kind(KINDS[name], options.rows, seed, setups, lambda *_: None) for seed in seeds]
        print(line(name, runs), flush=True)


if __name__ == "__main__":
    main()
