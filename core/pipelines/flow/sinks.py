"""Whether the rows at the end fit where they go."""

from __future__ import annotations

import re
from typing import Final

from core.pipelines.catalog import WAREHOUSE, Catalog, Relation
from core.pipelines.flow.frame import Frame, Report
from core.pipelines.flow.sources import called, leaves
from core.pipelines.language.spec import FileSink, PipelineSpec, Source, TableSink
from core.pipelines.refusals import instead
from core.pipelines.types import ColumnType, digits_of

VALIDITY: Final = ("valid_from", "valid_to", "is_current")
"""Columns that scd2 keeps itself, beside those of the rows."""

_NAMED: Final = re.compile(r"[a-z_][a-z0-9_$]{0,62}\.[a-z_][a-z0-9_$]{0,62}")
_ENDINGS: Final = {
    "csv": (".csv", ".csv.gz"),
    "parquet": (".parquet",),
    "json": (".json", ".jsonl", ".ndjson"),
    "excel": (".xlsx",),
}


def fit(spec: PipelineSpec, frame: Frame, catalog: Catalog, report: Report) -> None:
    """Refuse what the sink cannot take."""
    if isinstance(spec.sink, FileSink):
        _fit_file(spec.sink, catalog, report)
        return
    _appends_again(spec, report)
    relation = _target(spec.sink, catalog, report)
    _mode(spec.sink, frame, report)
    if relation is None or _is_key(spec.sink, relation, report):
        report.known("sink.keys", spec.sink.keys, frame)
    if relation is not None and not frame.is_open:
        _fit_columns(spec.sink, relation, frame, report)


def _fit_file(sink: FileSink, catalog: Catalog, report: Report) -> None:
    block = catalog.blocks.get(sink.at)
    if block is None:
        report.refuse("sink.at", f"there is no block {sink.at}{instead(sink.at, catalog.blocks)}")
    elif block.kind not in {"folder", "object_store"} or not block.writable:
        there = [one.name for one in catalog.blocks.values() if one.writable]
        report.refuse("sink.at", f"{sink.at} is not writable{instead(sink.at, there)}")
    if leaves(sink.file):
        report.refuse("sink.file", f"{sink.file} leaves {sink.at}")
    elif not sink.file.endswith(_ENDINGS[sink.format]):
        report.refuse(
            "sink.file", f"{sink.file} does not end as {sink.format} does: {' or '.join(_ENDINGS[sink.format])}"
        )


def _target(sink: TableSink, catalog: Catalog, report: Report) -> Relation | None:
    if sink.at != WAREHOUSE:
        report.refuse(
            "sink.at",
            f"tables are written in the {WAREHOUSE} alone: in {sink.at} rows and acknowledgement could not share a "
            "transaction",
        )
        return None
    if not _NAMED.fullmatch(sink.table):
        report.refuse("sink.table", f"{sink.table[:80]} is no table; say schema.table in small letters")
        return None
    found = catalog.tables.get((WAREHOUSE, sink.table))
    if found is not None and found.denied:
        report.refuse("sink.table", f"{sink.table} may not be written")
        return None
    schema = sink.table.partition(".")[0]
    warehouse = catalog.blocks.get(WAREHOUSE)
    writable = warehouse.writable_schemas if warehouse else ()
    if schema not in writable:
        report.refuse("sink.table", f"schema {schema} is not one to write to{instead(schema, writable)}")
        return None
    if found is None and not sink.create:
        there = [table for at, table in catalog.tables if at == WAREHOUSE and table.partition(".")[0] == schema]
        report.refuse(
            "sink.table", f"there is no table {sink.table}; say create: true to make it{instead(sink.table, there)}"
        )
    return found


def _mode(sink: TableSink, frame: Frame, report: Report) -> None:
    if sink.mode in {"upsert", "scd2"} and not sink.keys:
        report.refuse("sink.keys", f"{sink.mode} goes by keys; name them")
    only = {"newer_by": "upsert", "within": "replace"}
    for word, mode in only.items():
        if getattr(sink, word) and sink.mode != mode:
            report.refuse(f"sink.{word}", f"{word} belongs to {mode}, not to {sink.mode}")
    if sink.absent == "close" and sink.mode != "scd2":
        report.refuse("sink.absent", f"absent belongs to scd2, not to {sink.mode}")
    if sink.absent == "close" and frame.partial:
        report.refuse(
            "sink.absent",
            f"{frame.partial[0].source} is read in part, so what is absent may only be unread; leave absent out",
        )
    report.known("sink.newer_by", [sink.newer_by] if sink.newer_by else [], frame)
    report.known("sink.within", sink.within, frame)
    if sink.mode == "replace" and not sink.within and frame.partial:
        one = frame.partial[0].source
        report.refuse(
            "sink", f"replace from a part of {one} (incremental) would lose the rest; say upsert, append or within"
        )


def _is_key(sink: TableSink, relation: Relation, report: Report) -> bool:
    """Whether the target knows the keys of an upsert as its own; says so where it does not."""
    if sink.mode != "upsert" or not sink.keys or any(set(key) == set(sink.keys) for key in relation.keys):
        return True
    known = " or ".join(f"[{', '.join(key)}]" for key in relation.keys) or "none"
    report.refuse("sink.keys", f"[{', '.join(sink.keys)}] is not unique in {sink.table}; its keys are {known}")
    return False


def _fit_columns(sink: TableSink, relation: Relation, frame: Frame, report: Report) -> None:
    ours = VALIDITY if sink.mode == "scd2" else ()
    for name in ours:
        if name not in relation.columns:
            report.refuse("sink", f"{sink.table} has no column {name}; scd2 keeps {', '.join(VALIDITY)}")
    for name in relation.required:
        if name not in frame.columns and name not in ours:
            report.refuse("sink", f"{sink.table} needs {name}, which no step makes")
    for name, found in frame.columns.items():
        if name not in relation.columns:
            report.refuse(
                "sink", f"{sink.table} has no column {name}; drop or rename it{instead(name, relation.columns)}"
            )
        elif said := _misfit(name, found, relation.columns[name]):
            report.refuse("sink", said)


def _misfit(name: str, found: ColumnType, target: ColumnType) -> str | None:
    """Why a value does not go into a column; a value too large for it is a dead row, and no refusal."""
    if found.kind == target.kind == "decimal":
        return f"{name} is {found} and goes into {target}: add round or cast" if found.scale > target.scale else None
    if found.kind in {target.kind, "unknown"}:
        return None
    if found.kind == "int" and target.kind in {"decimal", "float"}:
        return None
    if found.kind == "decimal" and (target.kind == "float" or (target.kind == "int" and digits_of(found)[1] == 0)):
        return None
    if found.kind == "date" and target.kind == "timestamp":
        return None
    advice = "add round or cast" if found.is_number and target.is_number else "add a cast"
    return f"{name} is {found} and goes into {target}: {advice}"


def _appends_again(spec: PipelineSpec, report: Report) -> None:
    """Refuse a schedule that adds the rows of a whole source at each run."""
    if not isinstance(spec.sink, TableSink) or spec.sink.mode != "append" or spec.schedule is None:
        return
    source: Source = next(iter(spec.sources.values()))
    if any(one.incremental is not None for one in spec.sources.values()):
        return
    said = f"append on a schedule from the whole of {called(source)} adds every row again"
    report.refuse("sink", f"{said}; say incremental, upsert or replace")
