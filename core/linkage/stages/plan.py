"""Plan: count every pair before any is made, and cut the passes into batches of equal work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CandidateBudgetExceeded
from core.linkage.workspace import Array
from core.matching.blocking import block_histogram, pairs_of, split

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output

LARGE_ROWS = 20_000_000
CANDIDATES_PER_RECORD = 10
CANDIDATES_PER_RECORD_LARGE = 20
REFUSED_AT = 20
"""Times the budget: beyond it the passes do not fit the data, and no window can mend that."""
WINDOWS = (200, 100, 50, 20, 10)
"""A block of more records is not compared whole but in a window of as many neighbours."""


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: the budget is one."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Choose the widest window that keeps the job within its budget of candidate pairs, and cut the batches.

    Returns:
        `batches`: pass, positions [lo, hi) into its sorted keys, pairs, window. `passes`: per pass its blocks, largest
        block, pairs, and pairs left out by the window. `window`, `budget`.
    Raises:
        CandidateBudgetExceeded: even the narrowest window makes more than twenty times the budget.
    """
    histograms = [block_histogram(job.pass_arrays(number)[0]) for number in range(len(job.spec.passes))]
    budget = job.rows * (CANDIDATES_PER_RECORD if job.rows <= LARGE_ROWS else CANDIDATES_PER_RECORD_LARGE)
    window = _window(histograms, budget)
    _refuse_flood(job, histograms, window, budget * REFUSED_AT)
    batches = [
        {"pass": number, "lo": lo, "hi": hi, "pairs": pairs, "window": window}
        for number, (starts, blocks) in enumerate(histograms)
        for lo, hi, pairs in split(starts, blocks, job.description.request.pairs_per_batch, window)
    ]
    passes = [
        _figures(each.name, blocks, window) for each, (_, blocks) in zip(job.spec.passes, histograms, strict=True)
    ]
    return {"batches": batches, "passes": passes, "window": window, "budget": budget}


def _window(histograms: list[tuple[Array, Array]], budget: int) -> int:
    """The widest window within the budget, else the narrowest."""
    for window in WINDOWS:
        if sum(int(pairs_of(blocks, window).sum()) for _, blocks in histograms) <= budget:
            return window
    return WINDOWS[-1]


def _refuse_flood(job: LinkageJob, histograms: list[tuple[Array, Array]], window: int, limit: int) -> None:
    pairs = [int(pairs_of(blocks, window).sum()) for _, blocks in histograms]
    if sum(pairs) <= limit:
        return
    worst = max(range(len(pairs)), key=pairs.__getitem__)
    rule = job.spec.passes[worst]
    raise CandidateBudgetExceeded(
        f"blocking would make {sum(pairs):,} pairs, the limit is {limit:,}; pass {rule.name} alone makes "
        f"{pairs[worst]:,}: give it a further key in the spec ({', '.join(rule.keys)} now)",
        rule=rule.name,
        pairs=pairs[worst],
        limit=limit,
    )


def _figures(name: str, blocks: Array, window: int) -> Output:
    """What a pass costs, and what the window leaves out."""
    every, kept = int((blocks * (blocks - 1) // 2).sum()), int(pairs_of(blocks, window).sum())
    largest = int(blocks.max()) if len(blocks) else 0
    return {"name": name, "blocks": len(blocks), "largest": largest, "pairs": kept, "left_out": every - kept}
