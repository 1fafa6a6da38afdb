"""Train: learn from the data itself how much each agreement says (no labels)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.linkage.models import MODEL, candidate_shares, reuse_model, write_model
from core.linkage.workspace import Array
from core.matching.blocking import pass_keys
from core.matching.collisions import collisions
from core.matching.model import build_model
from core.matching.pairs import random_pairs
from core.matching.scoring import train
from core.matching.training import RANDOM_PAIRS, candidate_histogram, pair_histogram

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output

SEED = 20_240_601


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: the model is one."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Learn the model and store it, or take the one that the request names."""
    if job.description.request.model is not None:
        return reuse_model(job, folder)
    with ThreadPoolExecutor(1) as beside:
        strangers = beside.submit(_random_histogram, job)
        shared = beside.submit(collisions, job.words, job.vocabulary, job.layout, job.total_pairs, job.boundary)
        keys = pass_keys(job.words, job.vocabulary, job.layout)
        patterns, counts = candidate_histogram(job.words, keys, job.vocabulary, job.layout, boundary=job.boundary)
        chance, times = strangers.result()
        rare = shared.result()
    parameters = train(patterns, counts, chance, times, job.total_pairs, job.layout, rare)
    model = build_model(
        parameters,
        job.frequencies,
        job.vocabulary,
        job.layout,
        n_rows=job.rows,
        data_fingerprint=job.data_fingerprint,
    )
    shares, _ = candidate_shares(job)
    write_model(model.model_copy(update={"candidate_shares": shares}), folder / MODEL)
    return {
        "patterns": len(patterns),
        "pairs": float(counts.sum()),
        "prior_bits": model.prior_bits,
        "iterations": model.iterations,
        "converged": model.converged,
    }


def _random_histogram(job: LinkageJob) -> tuple[Array, Array]:
    """Level patterns of random pairs: nearly all of them are strangers."""
    left, right = random_pairs(job.rows, RANDOM_PAIRS, SEED, job.boundary)
    return pair_histogram(job.words, job.vocabulary, job.layout, left, right)
