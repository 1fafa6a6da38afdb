"""Match: compare the pairs of some blocks of one pass, and keep those worth a look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.workspace import load, save_frame
from core.matching.blocks import members_of
from core.matching.pairs import score_range

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output

ITEMS_MAX = 2**20
"""Most items a batch of the queue may count."""


def sizes(job: LinkageJob) -> list[int]:
    """One batch a planned range of blocks."""
    return [min(batch["hi"] - batch["lo"], ITEMS_MAX) for batch in job.outputs("plan")[0]["batches"]]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Score the range; pairs below the review threshold are dropped here and counted, pairs that an earlier pass has
    for certain are not scored again."""
    plan = job.outputs("plan")[0]
    batch = plan["batches"][partition]
    number = batch["pass"]
    starts, blocks = (
        load(job.folder("plan"), f"{name}-{number:02d}")[batch["lo"] : batch["hi"]] for name in ("starts", "sizes")
    )
    rows = members_of(job.blocks(number), starts, blocks)
    keys = np.repeat(np.arange(len(blocks), dtype=np.uint64), blocks)
    edges, n_pairs = score_range(job.words, rows, keys, job.scorer(plan["window"]), number)
    save_frame(folder, "edges", edges.to_frame())
    return {"pairs": int(n_pairs), "edges": len(edges), "pass": number}
