"""Which pairs the model learns from: whole blocks chosen by the hash of their key, weighted so that nothing is biased.

A pair that agrees in k passes would be seen k times; each sighting in a pass sampled at rate r counts 1 / (k r)
(Horvitz & Thompson 1952), so the histogram estimates that of all distinct candidate pairs, whatever the number of
ranges, threads or machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.workspace import Array
from core.matching.blocking import block_histogram, pairs_of, pass_keys
from core.matching.compare import compare_pairs, patterns_of
from core.matching.pairs import walk_pairs

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

PAIRS_PER_PASS = 1_000_000
BLOCK_ROWS_MAX = 200
"""Larger blocks teach nothing new and would dominate the sample."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so multiplying permutes the keys; the sample is a fair one whatever order the hash left them in."""


@dataclass(frozen=True)
class Sample:
    """Pairs of one pass, and the rate at which its blocks were taken."""

    left: Array
    right: Array
    rate: float


def training_pairs(job: LinkageJob) -> list[Sample]:
    """Draw the sample of every pass."""
    return [_sample(*job.pass_arrays(number), job.boundary) for number in range(len(job.spec.passes))]


def _sample(keys: Array, rows: Array, boundary: int) -> Sample:
    starts, sizes = block_histogram(keys)
    usable = sizes <= BLOCK_ROWS_MAX
    starts, sizes = starts[usable], sizes[usable]
    rate = min(1.0, PAIRS_PER_PASS / max(float(pairs_of(sizes).sum()), 1.0))
    if rate < 1.0:
        chosen = keys[starts] * _SPREAD < np.uint64(rate * 2.0**64)
        starts, sizes = starts[chosen], sizes[chosen]
    first = np.cumsum(sizes) - sizes
    member = np.repeat(starts - first, sizes) + np.arange(sizes.sum())
    left, right = walk_pairs(keys[member], rows[member], boundary)
    return Sample(left, right, rate)


def pattern_histogram(job: LinkageJob, samples: list[Sample]) -> tuple[Array, Array]:
    """Compare the sampled pairs.

    Returns:
        Distinct level patterns, ascending (u64), and the estimated number of candidate pairs of each (f64).
    """
    patterns, weights = [np.empty(0, np.uint64)], [np.empty(0, np.float64)]
    for sample in samples:
        levels = compare_pairs(job.words, job.vocabulary, job.layout, sample.left, sample.right)
        patterns.append(patterns_of(levels, job.layout))
        weights.append(1.0 / (sample.rate * _sightings(job, sample)))
    distinct, inverse = np.unique(np.concatenate(patterns), return_inverse=True)
    return distinct, np.bincount(inverse, weights=np.concatenate(weights), minlength=len(distinct))


def _sightings(job: LinkageJob, sample: Sample) -> Array:
    """In how many passes each pair agrees (at least the one it came from)."""
    involved, places = np.unique(np.concatenate([sample.left, sample.right]), return_inverse=True)
    keys = pass_keys(np.ascontiguousarray(job.words[involved]), job.vocabulary, job.layout)
    left, right = keys[places[: len(sample.left)]], keys[places[len(sample.left) :]]
    sightings: Array = np.maximum(((left == right) & (left != 0)).sum(axis=1), 1)
    return sightings
