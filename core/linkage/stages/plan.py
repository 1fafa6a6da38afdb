"""Plan: count every pair before any is made, and cut the passes into pieces, and these into batches of equal work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import CandidateBudgetExceeded
from core.matching.blocking.blocks import Cut, cut, pairs_of, split
from core.storage.workspace import save

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob

LARGE_ROWS = 20_000_000
CANDIDATES_PER_RECORD = 10
CANDIDATES_PER_RECORD_LARGE = 20
REFUSED_AT = 20
"""Times the budget: beyond it the passes do not fit the data, and no window can mend that."""
SPLIT_PAIRS_MIN = 10_000_000_000
"""Of fewer pairs behind all refinements, a pass is compared in a window, however small the job."""
SHARES = 8
"""Batches of a job that is too small to fill them."""
WINDOWS = (200, 100, 50, 20, 10)
"""A block of more records is cut at the pass's refinements, and what stays larger is compared in such a window."""


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: the budget is one."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Choose the widest window that keeps the job within its budget of candidate pairs, and cut the batches.

    Returns:
        `pieces`: the batch it belongs to, pass, blocks [lo, hi) of its cut, pairs. `passes`: per pass its blocks,
        largest block, pairs, pairs left out by cuts and window, and whether none was; whether it is a wide one, and
        used. `window`, `budget`: of the passes that every job makes.
    Raises:
        CandidateBudgetExceeded: a pass makes more than twenty times the budget behind all its refinements, so that a
            window would leave out nearly all; or even the narrowest window makes as many.
    """
    budget = job.rows * (CANDIDATES_PER_RECORD if job.rows <= LARGE_ROWS else CANDIDATES_PER_RECORD_LARGE)
    # What an increment is added to was planned by this rule.
    if job.description.frozen is None:
        _refuse_unsplit(job, max(budget * REFUSED_AT, SPLIT_PAIRS_MIN))
    window, kept = _within(job, budget)
    pairs = {number: int(_made(job, _cut(job, window, number), window, number).sum()) for number in kept}
    _refuse_flood(job, [pairs[number] for number in range(job.spec.n_always)], budget * REFUSED_AT)
    per_batch = min(job.description.request.pairs_per_batch, -(-sum(pairs.values()) // SHARES))
    pieces: list[dict[str, int]] = []
    passes = []
    for number, planned in enumerate(job.spec.passes):
        said = {"name": planned.name, "wide": planned.wide, "used": number in kept}
        if number not in kept:
            passes.append(said | _figures(job, number, 0) | {"pairs": 0, "complete": False})
            continue
        made = _touched(job, _cut(job, window, number), number)
        save(folder, {f"starts-{number:02d}": made.starts, f"sizes-{number:02d}": made.sizes})
        found = split(_made(job, made, window, number), per_batch)
        pieces += [{"pass": number, "lo": lo, "hi": hi, "pairs": n_pairs} for lo, hi, n_pairs in found]
        passes.append(said | _figures(job, number, kept[number]) | {"pairs": pairs[number]})
    return {"pieces": _in_batches(pieces, per_batch), "passes": passes, "window": window, "budget": budget}


def _within(job: LinkageJob, budget: int) -> tuple[int, dict[int, int]]:
    """The widest window within the budget, else the narrowest, and the pairs each pass in use makes with it.

    A run that adds to another one has the window of that. Wide passes have a room of their own, and passes with `top`
    bounds.
    """
    pairs: list[int] = []
    frozen, in_use = job.description.frozen, job.passes_in_use
    with ThreadPoolExecutor(job.threads) as pool:
        for window in WINDOWS if frozen is None else (frozen.window,):
            pairs = list(pool.map(partial(_pairs, job, window), in_use))
            if sum(pairs[at] for at in range(job.spec.n_always) if job.spec.passes[at].top is None) <= budget:
                break
    return window, dict(zip(in_use, pairs, strict=True))


def _in_batches(pieces: list[dict[str, int]], per_batch: int) -> list[dict[str, int]]:
    """Number the batches: small pieces of neighbouring passes share one."""
    if not pieces:
        return []
    spans = split(np.array([piece["pairs"] for piece in pieces], dtype=np.int64), per_batch)
    return [piece | {"batch": batch} for batch, (lo, hi, _) in enumerate(spans) for piece in pieces[lo:hi]]


def _cut(job: LinkageJob, window: int, number: int) -> Cut:
    return cut(job.blocks(number), window, len(job.layout.refinements[number]))


def _n_new(job: LinkageJob, made: Cut, number: int) -> NDArray[np.int64]:
    """How many records of each block an increment adds."""
    before = np.concatenate([[0], np.cumsum(job.blocks(number).rows >= job.since)])
    return np.asarray(before[made.starts + made.sizes] - before[made.starts], dtype=np.int64)


def _touched(job: LinkageJob, made: Cut, number: int) -> Cut:
    """The blocks that hold a record not matched before: all, unless the job is an increment."""
    if job.since == 0:
        return made
    keep = _n_new(job, made, number) > 0
    return Cut(made.starts[keep], made.sizes[keep])


def _made(job: LinkageJob, made: Cut, window: int, number: int) -> NDArray[np.int64]:
    """Pairs that each block makes; of an increment those with a new record, at most so many where it has a window."""
    whole = pairs_of(made.sizes, window)
    if job.since == 0:
        return whole
    new, sizes = _n_new(job, made, number), made.sizes.astype(np.int64)
    return np.asarray(np.minimum(whole, new * (new - 1) // 2 + new * (sizes - new)), dtype=np.int64)


def _pairs(job: LinkageJob, window: int, number: int) -> int:
    return int(pairs_of(_cut(job, window, number).sizes, window).sum())


def _refuse_unsplit(job: LinkageJob, limit: int) -> None:
    """Refuse a pass whose keys, refinements and all, leave more pairs than `limit`."""
    for number in job.passes_in_use:
        rule = job.spec.passes[number]
        sizes = _cut(job, WINDOWS[-1], number).sizes.astype(np.int64)
        pairs = int((sizes * (sizes - 1) // 2).sum())
        if pairs > limit:
            raise CandidateBudgetExceeded(
                f"pass {rule.name} alone would make {pairs:,} pairs, the limit is {limit:,}; its largest block has "
                f"{int(sizes.max()):,} records: give it a further key or a refinement in the spec "
                f"({rule.says} now)",
                rule=rule.name,
                pairs=pairs,
                limit=limit,
            )


def _refuse_flood(job: LinkageJob, pairs: list[int], limit: int) -> None:
    if sum(pairs) <= limit:
        return
    worst = max(range(len(pairs)), key=pairs.__getitem__)
    rule = job.spec.passes[worst]
    raise CandidateBudgetExceeded(
        f"blocking would make {sum(pairs):,} pairs, the limit is {limit:,}; pass {rule.name} alone makes "
        f"{pairs[worst]:,}: give it a further key in the spec ({rule.says} now)",
        rule=rule.name,
        pairs=pairs[worst],
        limit=limit,
    )


def _figures(job: LinkageJob, number: int, kept: int) -> Output:
    """What a pass costs, and what was left out of it; nothing is known of one that was not sorted."""
    if number >= job.n_sorted:
        return {"blocks": 0, "largest": 0, "left_out": 0}
    if job.spec.passes[number].top is not None:
        # What k left out shares no key, and nobody looked at it: such a pass is never whole.
        return {"blocks": kept, "largest": 2, "pairs": kept, "left_out": job.n_cut(number), "complete": False}
    whole = cut(job.blocks(number), job.rows, 0).sizes.astype(np.int64)
    every = int((whole * (whole - 1) // 2).sum())
    return {
        "blocks": len(whole),
        "largest": int(whole.max(initial=0)),
        "pairs": kept,
        "left_out": every - kept,
        "complete": kept == every,
    }
