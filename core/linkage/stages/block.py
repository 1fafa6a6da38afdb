"""Block: the records of one pass in the order of its keys; from here on only row numbers move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.matching.blocking.blocks import Blocks, sort_pass
from core.matching.blocking.nearest_texts import GRAMS_ROWS_MAX, WordGrams, nearest_texts
from core.matching.text.hashing import flat_points
from core.storage.workspace import load, load_frame, save

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


ROWS_MIN, BATCHES_MIN = 2_000_000, 4
"""A batch sorts so many rows in all its passes, unless that leaves fewer batches than a small machine has threads."""


def sizes(job: LinkageJob) -> list[int]:
    """One batch so many passes."""
    return [len(numbers) for numbers in _passes(job)]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Sort some passes, one after the other; `cut`: by number of a pass with `top` what `Nearest.n_cut` is."""
    numbers, records, n_cut = _passes(job)[partition], 0, {}
    for number in numbers:
        if job.spec.passes[number].top is None:
            blocks = sort_pass(job.words, job.vocabulary, job.layout, number)
        else:
            blocks, n_cut[str(number)] = _nearest(job, number)
        save(folder, {f"rows-{number:02d}": blocks.rows, f"depth-{number:02d}": blocks.depth})
        records += len(blocks.rows)
    return {"records": records, "passes": list(numbers), "cut": n_cut}


def _nearest(job: LinkageJob, number: int) -> tuple[Blocks, int]:
    folder, rule = job.folder("reduce"), job.spec.passes[number]
    hashes = load(folder, "marks-hashes", mapped=False)
    if rule.by_grams and job.rows <= GRAMS_ROWS_MAX:
        grams = WordGrams.of(hashes, flat_points(load_frame(folder, "words")["word"]))
    else:
        grams = WordGrams.without(hashes)
    with ThreadPoolExecutor(job.threads) as pool:
        found = nearest_texts(job.words, job.layout, rule, grams, job.boundaries, pool)
    return found.blocks, found.n_cut


def _passes(job: LinkageJob) -> list[range]:
    """The passes of each batch: of a small job several, so that handing a batch out stays small beside it."""
    count = job.n_sorted
    step = max(1, min(ROWS_MIN // max(job.rows, 1), -(-count // BATCHES_MIN)))
    return [range(lo, min(lo + step, count)) for lo in range(0, count, step)]
