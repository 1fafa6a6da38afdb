"""Cluster: accepted edges become entities, guarded against chains that join what differs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from core.linkage.history.continuity import last
from core.linkage.history.decisions import decided_rows
from core.linkage.history.kept_apart import apart_frame, counts_of
from core.linkage.stage_files import load_edges
from core.matching.clustering.cluster import Clustered, cluster, name_rows, report_of
from core.matching.clustering.contested import KeptApart
from core.matching.clustering.partners import Answers, choose_partners, find_answers, lost_answers
from core.matching.clustering.union_find import connect
from core.matching.edges import Edges
from core.matching.quality.recall import Found, estimate_recall
from core.matching.records.sources import source_numbers
from core.matching.scoring.pair_scores import differ_in_field
from core.storage.workspace import Array, save, save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob
    from core.matching.scoring.score_pairs import Scorer


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: an entity may reach across all ranges."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Label every row with the smallest row of its entity, and name each entity after its smallest record id."""
    edges, told = _edges(job)
    found, linking = _entities(job, edges, told, folder)
    labels, report, apart = found
    ids, starts = job.ids
    named = name_rows(labels, ids, starts, job.boundaries)
    save(folder, {"labels": labels, "named": named, "patterns": np.unique(edges.pattern)})
    save_frame(folder, "edges", edges.to_frame())
    kept_apart = apart_frame(job, apart)
    save_frame(folder, "apart", kept_apart)
    renamed, changes = last(job, labels, named)
    save_frame(folder, "renamed", renamed)
    save_frame(folder, "changes", changes)
    below = float(job.model.learning.get("below_review", 0.0))
    seen = Found(edges, labels, apart, job.boundaries, below)
    return {
        "matches": int((edges.bits >= job.spec.match_bits).sum()) - kept_apart.height,
        **report.to_dict(),
        "kept_apart": counts_of(kept_apart),
        "linking": linking,
        "changes": dict(Counter(changes["kind"].to_list())),
        "recall": estimate_recall(seen, job.words, _scorer(job), job.calibration).to_dict(),
    }


def _edges(job: LinkageJob) -> tuple[Edges, Array]:
    """All that were scored, and which of them a field tells apart; with a reference only those that touch it."""
    edges, reference = load_edges(job.folder("merge")), job.description.request.reference_source
    if reference is not None:
        ends = (source_numbers(side, job.boundaries) == reference for side in (edges.left, edges.right))
        edges = edges.take(next(ends) | next(ends))
    return edges, differ_in_field(edges.pattern, job.layout)


def _entities(job: LinkageJob, edges: Edges, told: Array, folder: Path) -> tuple[Clustered, dict[str, Any] | None]:
    """Entities, and what the linking of files came to: None where it asks for nothing."""
    request, match_bits = job.description.request, job.spec.match_bits
    if request.reference_source is not None:
        answers = find_answers(edges, told, job.boundaries, request.reference_source, match_bits, job.ids)
        save_frame(folder, "answers", pl.DataFrame(answers._asdict()))
        n_asked = job.rows - job.sources[request.reference_source].rows
        figures = {"asked": n_asked, "answered": int(answers.given.sum())}
        return _answered(job, edges, told, answers), figures
    kept, lost = edges, None
    if request.exclusive:
        choice = choose_partners(edges, told, job.boundaries, request.shared_sources, match_bits, job.ids)
        kept, lost = edges.take(choice.taken), choice
    found = cluster(kept, job.words, _scorer(job), job.spec.max_cluster, match_bits, decided_rows(job))
    if lost is None:
        return found, None
    figures = {"lost": len(lost.lost.left), "better_partner": lost.better.tolist()}
    return found._replace(apart=found.apart.and_those(lost.lost)), figures


def _scorer(job: LinkageJob) -> Scorer:
    return job.scorer(job.outputs("plan")[0]["window"])


def _answered(job: LinkageJob, edges: Edges, told: Array, answers: Answers) -> Clustered:
    """A record and what answers it are one entity, whatever else that answers; there are no other guards."""
    labels = np.arange(job.rows, dtype=np.uint32)
    ends = np.stack([answers.record[answers.given], answers.answer[answers.given]])
    connect(np.ascontiguousarray(ends), labels)
    by_field = KeptApart.by_field(edges.take(told & (edges.bits >= np.float32(job.spec.match_bits))))
    apart = by_field.and_those(lost_answers(edges, answers, job.spec.match_bits))
    return Clustered(labels, report_of(labels, np.zeros(0, dtype=np.uint8)), apart)
