"""Match: compare the pairs of one key range of one pass, and keep those worth a look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.linkage.workspace import save_frame
from core.matching.pairs import score_range

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output

ITEMS_MAX = 2**20
"""Most items a batch of the queue may count."""


def sizes(job: LinkageJob) -> list[int]:
    """One batch a planned key range."""
    return [min(batch["hi"] - batch["lo"], ITEMS_MAX) for batch in job.outputs("plan")[0]["batches"]]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Score the range; pairs below the review threshold are dropped here and counted."""
    batch = job.outputs("plan")[0]["batches"][partition]
    keys, rows = (array[batch["lo"] : batch["hi"]] for array in job.pass_arrays(batch["pass"]))
    edges, n_pairs = score_range(job.words, rows, keys, job.scorer(batch["window"]), batch["pass"])
    save_frame(folder, "edges", edges.to_frame())
    return {"pairs": int(n_pairs), "edges": len(edges), "pass": batch["pass"]}
