"""Train: learn from the data itself how much each agreement says (no labels)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.linkage.history.models import (
    MODEL,
    candidate_shares,
    learning_notices,
    neighbour_levels,
    reuse_model,
    write_model,
)
from core.matching.blocking.shared_passes import KeyParts, key_parts
from core.matching.records.record_hashes import record_hashes
from core.matching.scoring.chance_agreement import collisions
from core.matching.scoring.histograms import (
    PAIRS_PER_PASS,
    RANDOM_PAIRS,
    Histogram,
    merge_histograms,
    pair_histogram,
    pass_histogram,
)
from core.matching.scoring.learn import learn
from core.matching.scoring.model import build_model
from core.matching.scoring.random_pairs import pairs_of_sample
from core.storage.workspace import Array

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob

SEED = 20_240_601


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: the model is one."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Learn the model and store it, or take the one that the request names.

    The histograms are made by threads and added up in the order of the passes. What the scores are worth is told from
    the pairs that will be compared.
    """
    if job.description.request.model is not None or job.description.frozen is not None:
        return reuse_model(job, folder)
    hashes = record_hashes(job.words)
    with ThreadPoolExecutor(job.threads) as pool:
        strangers = pool.submit(_random_histogram, job, hashes)
        shared = pool.submit(collisions, job.words, job.vocabulary, job.layout, job.total_pairs, job.boundaries, hashes)
        teaching = tuple(teaching_passes(job))
        taught = _of_passes(job, hashes, pool, teaching)
        some = [
            tuple(range(job.spec.n_always)),
            *([job.passes_in_use] if len(job.passes_in_use) > job.spec.n_always else []),
        ]
        asked = [taught if numbers == teaching else _of_passes(job, hashes, pool, numbers) for numbers in some]
        near = pool.submit(neighbour_levels, job)
        candidates, chance = merge_histograms([each.result() for each in taught]), strangers.result()
        compared = [merge_histograms([each.result() for each in made]) for made in asked]
    learnt = learn(candidates, chance, job.total_pairs, job.layout, shared.result(), compared)
    model = build_model(
        learnt.parameters,
        job.frequencies,
        job.vocabulary,
        job.layout,
        n_rows=job.rows,
        data_fingerprint=job.data_fingerprint,
    )
    model = model.model_copy(update={"learning": learnt.to_dict()})
    shares, _ = candidate_shares(model, near.result(), job.layout)
    write_model(model.model_copy(update={"candidate_shares": shares}), folder / MODEL)
    return {
        "patterns": len(candidates.patterns),
        "pairs": float(candidates.counts.sum()),
        "prior_bits": model.prior_bits,
        "iterations": model.iterations,
        "converged": model.converged,
        "notices": list(learning_notices(model, job.spec.name)),
    }


def teaching_passes(job: LinkageJob) -> Sequence[int]:
    """The passes whose pairs are learnt from: those that every job makes, and where these make few the wide ones too.

    Of few records the wide passes show what the others choose away. Of many they bring so many strangers of one
    postcode that what people of one home have in common is no longer seen.
    """
    always, in_use = range(job.spec.n_always), job.passes_in_use
    if len(in_use) == len(always):
        return always
    return in_use if sum(map(job.pairs_of_pass, always)) < PAIRS_PER_PASS else always


def _of_passes(
    job: LinkageJob, hashes: Array, pool: ThreadPoolExecutor, numbers: Sequence[int]
) -> list[Future[Histogram]]:
    """The histograms of some passes, in which each pair counts once."""
    parts = key_parts(job.layout.ops, numbers)
    return [pool.submit(_pass_histogram, job, hashes, parts, number) for number in numbers]


def _pass_histogram(job: LinkageJob, hashes: Array, parts: KeyParts, number: int) -> Histogram:
    return pass_histogram(
        job.words,
        job.blocks(number),
        job.vocabulary,
        job.layout,
        boundaries=job.boundaries,
        number=number,
        hashes=hashes,
        parts=parts,
    )


def _random_histogram(job: LinkageJob, hashes: Array) -> Histogram:
    """Level patterns of random pairs: nearly all of them are strangers."""
    left, right = pairs_of_sample(hashes, RANDOM_PAIRS, SEED, job.boundaries)
    return pair_histogram(job.words, job.vocabulary, job.layout, left, right)
