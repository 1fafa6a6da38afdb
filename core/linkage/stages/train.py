"""Train: learn from the data itself how much each agreement says (no labels)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.sampling import pattern_histogram, training_pairs
from core.matching.compare import compare_pairs, patterns_of
from core.matching.model import build_model
from core.matching.pairs import random_pairs
from core.matching.scoring import train

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output

RANDOM_PAIRS = 1_000_000
SEED = 20_240_601


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: the model is one."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Learn the model and store it."""
    patterns, counts = pattern_histogram(job, training_pairs(job))
    left, right = random_pairs(job.rows, RANDOM_PAIRS, SEED, job.boundary)
    levels = compare_pairs(job.words, job.vocabulary, job.layout, left, right)
    chance, times = np.unique(patterns_of(levels, job.layout), return_counts=True)
    parameters = train(patterns, counts, chance, times.astype(np.float64), job.total_pairs, job.layout)
    model = build_model(
        parameters,
        job.frequencies,
        job.vocabulary,
        job.layout,
        n_rows=job.rows,
        data_fingerprint=job.data_fingerprint,
    )
    path = folder / "model.json"
    path.touch(mode=0o600)
    path.write_text(model.to_json())
    return {
        "patterns": len(patterns),
        "pairs": float(counts.sum()),
        "prior_bits": model.prior_bits,
        "iterations": model.iterations,
        "converged": model.converged,
    }
