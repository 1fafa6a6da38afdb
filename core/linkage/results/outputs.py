"""What a person takes home from a job: entities, pairs, and the record of the run, each written whole or not at all."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from core.jobs.ports import Stage
from core.linkage.history.continuity import changes_so_far
from core.linkage.history.decisions import decisions_of
from core.linkage.history.kept_apart import linking_notices, notices_of
from core.linkage.history.left_over import write_copies
from core.linkage.history.models import statement
from core.linkage.job import LinkageJob
from core.linkage.kept_columns import with_kept
from core.linkage.results.answers import answer_of_each, every_answer
from core.linkage.results.outline import linking_of
from core.linkage.run_record import beside, run_path, sink_table, unused_passes
from core.linkage.stage_files import load_placeholders
from core.linkage.stages import survive
from core.matching.blocking.wide_passes import room_of
from core.matching.records.words.text_records import WORDS_KEPT
from core.storage.private_file import write_private as _write
from core.storage.workspace import BASE

COMPLETENESS_ROWS = 250_000


def write_outputs(job: LinkageJob, out: Path, summary: Mapping[str, Any]) -> None:
    """Write entities, pairs and the run beside each other; the entities come last, so they are never alone.

    `out` has one row per input row, in input order: `id`, `entity_id`, and `source` (0 for the first file) when files
    are linked. The pairs stand in the order of their first record. `request.entities` has one golden record an entity.
    A reference adds `reference_id` and `probability` of its answer; all that may be one stand in a file of their own.
    Changes of entities and decisions by people, the earlier ones included, are written where there are any.
    """
    _write_small(job, out)
    entities = job.description.request.entities
    if entities is not None:
        _settle_late(job)
        golden = _survived(job, "entities")
        _write(Path(entities), lambda part: _sink(job, golden, part, Path(entities)))
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(each, job, out) for each in (partial(_write_run, summary=summary), _write_pairs)]
        _write(out, lambda part: _write_members(job, part, out, others))


def _write_run(job: LinkageJob, out: Path, *, summary: Mapping[str, Any]) -> None:
    sources = write_copies(job, out)
    _write(run_path(out), lambda part: part.write_bytes(_run_record(job, summary, sources)))


def _write_pairs(job: LinkageJob, out: Path) -> None:
    dropped = ["pattern_id"] if job.linked else ["pattern_id", "source_a", "source_b"]
    _write(beside(out, "pairs"), lambda part: _sink(job, _survived(job, "matches").drop(dropped), part, out))


def _write_members(job: LinkageJob, part: Path, out: Path, others: Sequence[Future[None]]) -> None:
    """Write the entity of every row; done only when what is written beside it is, or failed if that failed."""
    members = _survived(job, "members").select(_typed_id(job), *(["source"] if job.linked else []), "entity_id")
    if job.answers is not None:
        answers = answer_of_each(job).lazy().with_columns(_typed_id(job, "reference_id"))
        members = pl.concat([members, answers], how="horizontal")
    members = with_kept(members, job.sources)
    _sink(job, members, part, out)
    for each in others:
        each.result()


def _write_small(job: LinkageJob, out: Path) -> None:
    """Write the log of changes and the decisions; what another run left under these names does not stay."""
    folder = job.workspace.path(BASE)
    tables: dict[str, pl.DataFrame | None] = {"changes": None, "decisions": None, "answers": None}
    if job.answers is not None:
        tables["answers"] = every_answer(job)
    if (folder / "log.parquet").is_file():
        tables["changes"] = changes_so_far(job)
    decisions = decisions_of(job)
    tables["decisions"] = decisions if decisions.height else None
    for kind, table in tables.items():
        if table is None:
            beside(out, kind).unlink(missing_ok=True)
        else:
            _write(beside(out, kind), partial(_sink, job, table.lazy(), out=out))


def _settle_late(job: LinkageJob) -> None:
    """Make the golden records that an earlier run of the job was not asked for."""
    for partition, found in enumerate(job.outputs("survive")):
        if not found["golden"]:
            survive.settle(job, partition, job.workspace.path(found["path"]))


def _typed_id(job: LinkageJob, name: str = "id") -> pl.Expr:
    """Ids as the input had them: numbers stay numbers where every file has them so."""
    dtypes = {str(source.id_dtype) for source in job.sources}
    dtype = job.sources[0].id_dtype
    return pl.col(name).cast(dtype) if len(dtypes) == 1 and dtype.is_integer() else pl.col(name)


def _survived(job: LinkageJob, name: str) -> pl.LazyFrame:
    """Join one file of all `survive` batches, in the order of the rows."""
    return pl.scan_parquet([folder / f"{name}.parquet" for folder in job.folders("survive")])


def _run_record(job: LinkageJob, summary: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> bytes:
    record = {
        "job": job.description.model_dump(mode="json") | {"sources": sources},
        "model": orjson.loads(job.model.to_json()),
        "window": job.outputs("plan")[0]["window"],
        "placeholders": load_placeholders(job.folder("reduce")),
        "summary": dict(summary),
        "passes": job.outputs("plan")[0].get("passes", []),
        "completeness": _completeness(job),
    }
    return orjson.dumps(record, option=orjson.OPT_INDENT_2)


def _sink(job: LinkageJob, frame: pl.LazyFrame, part: Path, out: Path) -> None:
    sink_table(frame, part, out, for_excel=job.description.request.csv_for_excel)


def _completeness(job: LinkageJob) -> dict[str, float]:
    """Share of records with a value by field, from at most `COMPLETENESS_ROWS` evenly spaced ones."""
    words = job.words[:: max(1, -(-job.rows // COMPLETENESS_ROWS))]
    names = job.layout.names
    return {name: round(float(words[:, job.layout.words_of(name)].any(axis=1).mean()), 6) for name in names}


def summarise(job: LinkageJob, seconds: float, stages: Mapping[Stage, float]) -> dict[str, Any]:
    """Count what a finished job did.

    Args:
        seconds: wall time of this run, reading the input included.
        stages: wall seconds of each stage in this run.
    Returns:
        JSON: rows, seconds, rows_per_s, candidate_pairs (comparisons over all passes), matches, entities, peak_rss_mb,
        stages, and the statements on recall, clusters, a reused model and notices.
    """
    clustered = dict(job.outputs("cluster")[0])
    matches = clustered.pop("matches")
    recall, changes = clustered.pop("recall"), clustered.pop("changes")
    (model, notices), apart = statement(job), notices_of(clustered.get("kept_apart", {}))
    # Clusters of an older version say nothing of it.
    linking = clustered.pop("linking", None)
    apart += linking_notices(linking, [source.path.name for source in job.sources])
    for name in ("path", "items", "seconds"):
        clustered.pop(name)
    return {
        "rows": job.rows,
        "seconds": round(seconds, 3),
        "rows_per_s": round(job.rows / seconds, 1),
        "candidate_pairs": sum(found["pairs"] for found in job.outputs("match")),
        "matches": matches,
        "entities": sum(found["entities"] for found in job.outputs("survive")),
        "peak_rss_mb": peak_rss_mb(),
        "stages": {stage: round(spent, 3) for stage, spent in stages.items()},
        "batches": {stage: len(job.outputs(stage)) for stage in stages},
        "clusters": clustered,
        **({"linking": linking_of(job.description.request) | (linking or {})} if job.linked else {}),
        "changes": changes,
        "recall": recall,
        "model": model,
        "quarantined": sum(source.quarantined for source in job.sources),
        "notices": [*job.description.notices, *_blanked(job), *_shortened(job), *_of_passes(job), *apart, *notices],
    }


def _blanked(job: LinkageJob) -> list[str]:
    """Say which fields had values that too many records share: how many records, never the values."""
    found: Counter[str] = Counter()
    for each in job.outputs("encode"):
        found.update(each["nulled"])
    return [
        f"{field}: {count} records have a value that too many share to tell them apart; taken as missing"
        for field, count in found.items()
    ]


def _shortened(job: LinkageJob) -> list[str]:
    """Say which fields had texts of more words than a record keeps."""
    found: Counter[str] = Counter()
    for each in job.outputs("encode"):
        found.update(each.get("cut", {}))
    return [
        f"{field}: {count:,} records have more than {WORDS_KEPT} words; the rarest {WORDS_KEPT} of them are compared"
        for field, count in found.items()
    ]


def _of_passes(job: LinkageJob) -> list[str]:
    """Say which passes compared less than half of their pairs, and which wide ones did not fit beside others."""
    bounded = {each.name: each.says for each in job.spec.passes if each.top is not None}
    windowed = [
        f"pass {each['name']} compared {each['pairs']:,} of {each['pairs'] + each['left_out']:,} pairs, for its "
        f"largest block has {each['largest']:,} records; give it a further key or a refinement in the spec"
        for found in job.outputs("plan")
        for each in found["passes"]
        if each["left_out"] > each["pairs"] and not each.get("wide", False) and each["name"] not in bounded
    ]
    unused = unused_passes(job.outputs("plan")[0]["passes"]) if room_of(job.rows) else ()
    crowded = [f"wide passes that there was no room for: {', '.join(unused)}"] if unused else []
    nearest = [
        f"pass {each['name']} ({bounded[each['name']]}) compared {each['pairs']:,} pairs, and left out "
        f"{each['left_out']:,} times a text with something in common, for others were nearer"
        for found in job.outputs("plan")
        for each in found["passes"]
        if each["name"] in bounded and each["left_out"] > 0
    ]
    return windowed + nearest + crowded


def peak_rss_mb() -> float:
    """Highest resident memory of this process so far, in MiB (the kernel counts in KiB, macOS in bytes)."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
