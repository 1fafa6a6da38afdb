"""The table of stages that a linkage job is run by."""

from __future__ import annotations

from core.jobs.staged_job import StageTable, StageWork
from core.linkage.stages import block, cluster, encode, ingest, match, merge, plan, publish, reduce, survive, train

# What a stage spends nothing reads any more once it is open: at seventy million records half of the workspace.
TABLE: StageTable = {
    "ingest": StageWork(ingest.sizes, ingest.run),
    "reduce": StageWork(reduce.sizes, reduce.run),
    "encode": StageWork(encode.sizes, encode.run),
    "block": StageWork(block.sizes, block.run, spends=("ingest",)),
    "train": StageWork(train.sizes, train.run),
    "plan": StageWork(plan.sizes, plan.run),
    "match": StageWork(match.sizes, match.run),
    "merge": StageWork(merge.sizes, merge.run),
    "cluster": StageWork(cluster.sizes, cluster.run, spends=("block", "plan", "match")),
    "survive": StageWork(survive.sizes, survive.run),
    "publish": StageWork(publish.sizes, publish.run),
}
