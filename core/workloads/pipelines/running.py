"""One run of an approved pipeline: read, carried out, published in one transaction with how far was read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from core.connections.blocks import Connections
from core.database.queries import load, run
from core.errors import HeadraceError, InputError
from core.pipelines.compiling.held import CheckResult, DeadRows, Log, StoppedRun
from core.pipelines.compiling.running import run_steps
from core.pipelines.flow.checking import Checked
from core.pipelines.language.spec import FileSink, TableSink
from core.workloads.pipelines.matching import match_rows
from core.workloads.pipelines.preparing import prepared
from core.workloads.pipelines.sinks.files import FileWriter
from core.workloads.pipelines.sinks.tables import TableWriter
from core.workloads.pipelines.sources.reading import Reading
from core.workloads.pipelines.state.marks import leave, marks_of
from core.workloads.pipelines.state.versions import Version, require_running

Q = load("pipelines")


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    rows: by fate: read, dead, inserted, updated, unchanged, deleted, closed. files: how many were read, by source.
    """

    pipeline: str
    version: int
    run_id: int
    rows: Mapping[str, int]
    dead: tuple[DeadRows, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    watermarks: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "run": self.run_id,
            "state": "published",
            "rows": dict(self.rows),
            "dead": [
                {"step": one.step, "column": one.column, "class": one.fault, "rows": one.rows} for one in self.dead
            ],
            "checks": [
                {"step": one.step, "rule": one.rule, "passed": one.passed, "on_fail": one.on_fail, "rows": one.rows}
                for one in self.checks
            ],
            "watermarks": dict(self.watermarks),
            "files": dict(self.files),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way: its transaction holds the lock of the pipeline to its end."""

    connections: Connections
    conn: psycopg.Connection[Any]
    version: Version
    run_id: int
    now: datetime

    def carry_out(self, checked: Checked) -> Report:
        """Read, compute and write.

        Raises StoppedRun: a rule, drift, or too many dead rows. InputError, ConfigError, StoreError.
        """
        log = Log(self.now)
        reading = Reading(self.connections, self.conn, marks_of(self.conn, self.version.name), self.now, log)
        frames = reading.frames(checked)
        outcome = run_steps(checked, frames, self.now, match_rows)
        log.dead += outcome.dead
        written = self._write(checked, outcome.rows, frames, log)
        dead = _gathered(log.dead)
        self._require_few_dead(checked, sum(reading.rows.values()), dead)
        leave(self.conn, self.version.name, self.run_id, reading.left)
        rows = {"read": sum(reading.rows.values()), "dead": sum(one.rows for one in dead), **written}
        self._record(rows, dead, outcome.checks)
        files = {name: len(read) for name, read in reading.files.items()}
        return Report(
            self.version.name, self.version.number, self.run_id, rows, dead, outcome.checks, reading.watermarks, files
        )

    def _write(
        self, checked: Checked, rows: pl.DataFrame, frames: Mapping[str, pl.DataFrame], log: Log
    ) -> dict[str, int]:
        sink = checked.spec.sink
        if isinstance(sink, TableSink):
            return TableWriter(self.conn, sink, self.now, log).write(checked, rows, _groups(checked, sink, frames))
        return _file_writer(self.connections, sink).write(self.conn, self.version.name, self.run_id, rows)

    def _require_few_dead(self, checked: Checked, n_read: int, dead: tuple[DeadRows, ...]) -> None:
        # Rows without a cursor are met again at every run, however few are new.
        dead = tuple(one for one in dead if one.fault != "cursor")
        n_dead, most = sum(one.rows for one in dead), checked.spec.run.dead_share
        if n_dead > most * n_read:
            worst = max(dead, key=lambda one: one.rows)
            raise StoppedRun(
                f"{n_dead:,} of {n_read:,} rows are dead, more than dead_share {most:g}; nothing was written. Most: "
                f"{worst.rows:,} at {worst.step}, {worst.column} ({worst.fault})",
                dead=dead,
            )

    def _record(self, rows: Mapping[str, int], dead: tuple[DeadRows, ...], checks: tuple[CheckResult, ...]) -> None:
        _add_dead(self.conn, self.run_id, dead)
        run(
            self.conn,
            Q["pipeline_checks_add"],
            {
                "run_id": self.run_id,
                "steps": [one.step for one in checks],
                "rules": [one.rule for one in checks],
                "on_fails": [one.on_fail for one in checks],
                "passed": [one.passed for one in checks],
                "rows": [one.rows for one in checks],
            },
        )
        ended = {"run_id": self.run_id, "state": "published", "rows": json.dumps(rows), "reason": None}
        run(self.conn, Q["pipeline_run_end"], ended)


def run_pipeline(connections: Connections, version: Version, now: datetime) -> Report:
    """Run a version of a pipeline once.

    Args:
        now: UTC without a zone; what `run_time()` gives.
    Raises:
        InputError: it is paused, or another run of it is under way. PipelineRefused: the target or a source has
            changed so that it cannot be carried out. StoppedRun: a rule ended it. ConfigError, StoreError.
    """
    checked = prepared(version.frozen(), connections)
    sink = checked.spec.sink
    if isinstance(sink, FileSink):
        _finish(connections, sink, version.name)
    with connections.warehouse.transaction() as conn:
        require_running(conn, version.name)
        _lock(conn, version.name)
        run_id = _begun(connections, version, now)
        with _recorded(connections, run_id):
            report = Run(connections, conn, version, run_id, now).carry_out(checked)
    if isinstance(sink, FileSink):
        _finish(connections, sink, version.name)
    return report


def _lock(conn: psycopg.Connection[Any], name: str) -> None:
    if not run(conn, Q["pipeline_run_lock"], {"name": name})[0][0]:
        raise InputError(f"another run of {name} is under way; `headrace pipeline history {name}` shows it", name=name)


def _begun(connections: Connections, version: Version, now: datetime) -> int:
    """Enter the run, seen by others at once. The caller holds the lock."""
    given = {"name": version.name, "version": version.number, "now": f"{now}+00"}
    with connections.warehouse.transaction() as conn:
        return int(run(conn, Q["pipeline_run_begin"], given)[0][0])


@contextmanager
def _recorded(connections: Connections, run_id: int) -> Iterator[None]:
    """Enter how a run ended that did not publish, in a transaction of its own."""
    try:
        yield
    except HeadraceError as error:
        state = "stopped" if isinstance(error, StoppedRun) else "failed"
        with connections.warehouse.transaction() as conn:
            _add_dead(conn, run_id, error.facts.get("dead", ()))
            ended = {"run_id": run_id, "state": state, "rows": "{}", "reason": error.message}
            run(conn, Q["pipeline_run_end"], ended)
        raise


def _file_writer(connections: Connections, sink: FileSink) -> FileWriter:
    return FileWriter(connections.folder(sink.at), sink)


def _finish(connections: Connections, sink: FileSink, name: str) -> None:
    """The lock keeps the part of a run under way from being dropped."""
    with connections.warehouse.transaction() as conn:
        _lock(conn, name)
        _file_writer(connections, sink).finish(conn, name)


def _add_dead(conn: psycopg.Connection[Any], run_id: int, dead: tuple[DeadRows, ...]) -> None:
    given = {
        "run_id": run_id,
        "steps": [one.step for one in dead],
        "names": [one.column for one in dead],
        "faults": [one.fault for one in dead],
        "rows": [one.rows for one in dead],
    }
    run(conn, Q["pipeline_dead_add"], given)


def _gathered(dead: list[DeadRows]) -> tuple[DeadRows, ...]:
    """One entry for each step, column and class."""
    counted: dict[tuple[str, str, str], int] = {}
    for one in dead:
        place = (one.step, one.column, one.fault)
        counted[place] = counted.get(place, 0) + one.rows
    return tuple(DeadRows(*place, rows) for place, rows in counted.items())


def _groups(checked: Checked, sink: TableSink, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Of `replace` within columns the groups that were read, where those are a source's own columns."""
    origins = [checked.origins.get(name) for name in sink.within]
    sources = {origin[0] for origin in origins if origin is not None}
    if not sink.within or None in origins or len(sources) != 1:
        return None
    columns = [pl.col(origin[1]).alias(name) for name, origin in zip(sink.within, origins, strict=True) if origin]
    return frames[sources.pop()].select(columns)
