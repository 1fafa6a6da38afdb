"""Match: compare the pairs of some blocks, and keep those worth a look."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.matching.blocking.blocks import members_of
from core.matching.edges import Edges, join_edges
from core.matching.scoring.score_pairs import score_range
from core.storage.workspace import load, save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob

ITEMS_MAX = 2**20
"""Most items a batch of the queue may count."""


def sizes(job: LinkageJob) -> list[int]:
    """One batch so many planned pieces."""
    blocks = Counter[int]()
    for piece in job.outputs("plan")[0]["pieces"]:
        blocks[piece["batch"]] += piece["hi"] - piece["lo"]
    return [min(blocks[batch], ITEMS_MAX) for batch in sorted(blocks)]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Score the pieces; pairs that are not worth a review are dropped here and counted, pairs that an earlier pass
    has for certain are not scored again."""
    pieces = [piece for piece in job.outputs("plan")[0]["pieces"] if piece["batch"] == partition]
    scored = [_score(job, piece) for piece in pieces]
    edges = join_edges([found for found, _ in scored])
    save_frame(folder, "edges", edges.to_frame())
    return {"pairs": sum(n_pairs for _, n_pairs in scored), "edges": len(edges)}


def _score(job: LinkageJob, piece: dict[str, int]) -> tuple[Edges, int]:
    """The edges of some blocks of one pass, and how many pairs they made."""
    number, span = piece["pass"], slice(piece["lo"], piece["hi"])
    starts, blocks = (load(job.folder("plan"), f"{name}-{number:02d}")[span] for name in ("starts", "sizes"))
    rows = members_of(job.blocks(number), starts, blocks)
    keys = np.repeat(np.arange(len(blocks), dtype=np.uint64), blocks)
    edges, n_pairs = score_range(job.words, rows, keys, job.scorer(job.outputs("plan")[0]["window"]), number)
    return edges.take(job.calibration.worth_a_look(edges.bits, edges.passes, job.spec)), int(n_pairs)
