"""Cluster: accepted edges become entities, guarded against chains that join what differs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.history.continuity import last
from core.linkage.history.decisions import decided_rows
from core.linkage.history.kept_apart import apart_frame, counts_of
from core.linkage.stage_files import load_edges
from core.matching.clustering.cluster import cluster, name_rows, one_to_one
from core.matching.clustering.one_of_each import one_of_each
from core.matching.edges import Edges
from core.matching.quality.recall import Found, estimate_recall
from core.storage.workspace import Array, save, save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: an entity may reach across all ranges."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Label every row with the smallest row of its entity, and name each entity after its smallest record id."""
    edges = load_edges(job.folder("merge"))
    if job.description.request.one_to_one:
        edges = edges.take(_chosen(job, edges))
    decided = decided_rows(job)
    scorer = job.scorer(job.outputs("plan")[0]["window"])
    labels, report, apart = cluster(edges, job.words, scorer, job.spec.max_cluster, job.spec.match_bits, decided)
    ids, starts = job.ids
    named = name_rows(labels, ids, starts, job.boundaries)
    save(folder, {"labels": labels, "named": named, "patterns": np.unique(edges.pattern)})
    save_frame(folder, "edges", edges.to_frame())
    kept_apart = apart_frame(job, apart)
    save_frame(folder, "apart", kept_apart)
    renamed, changes = last(job, labels, named)
    save_frame(folder, "renamed", renamed)
    save_frame(folder, "changes", changes)
    accepted = edges.bits >= job.spec.match_bits
    found = Found(edges, labels, apart, job.boundaries, float(job.model.learning.get("below_review", 0.0)))
    return {
        "matches": int(accepted.sum()) - kept_apart.height,
        **report.to_dict(),
        "kept_apart": counts_of(kept_apart),
        "changes": dict(Counter(changes["kind"].to_list())),
        "recall": estimate_recall(found, job.words, scorer, job.calibration).to_dict(),
    }


def _chosen(job: LinkageJob, edges: Edges) -> Array:
    """The edges that stay where an entity has one record of each file: of two files the best assignment."""
    if len(job.boundaries) == 1:
        return one_to_one(edges, job.spec.match_bits)
    return one_of_each(edges, job.boundaries, job.spec.match_bits, job.ids)
