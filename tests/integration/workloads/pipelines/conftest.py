"""A warehouse with a writable schema, a landing folder, and pipelines that are approved and run in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.connections.blocks import Connections, connections_of
from core.database import DatabaseManager
from core.pipelines.language.reading import read_spec
from core.settings import Settings
from core.workloads.pipelines.preparing import columns_written, prepared
from core.workloads.pipelines.running import Report, run_pipeline
from core.workloads.pipelines.state.versions import approve, approved

NOW = datetime(2026, 1, 10, 12, 0)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where pipelines of a test run."""

    db: DatabaseManager
    connections: Connections
    landing: Path
    exports: Path

    def sql(self, statement: str) -> list[Any]:
        """Rows of a statement, or of several parted by semicolons those of the last."""
        rows: list[Any] = []
        for part in statement.split(";"):
            rows = self.db.execute_query("test", part.replace(":", "\\:")) if part.strip() else rows
        return rows

    def land(self, name: str, *lines: str) -> Path:
        """A file of the landing folder."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
        return path

    def approve(self, spec: str, who: str = "ann", environment: str = "DEVELOPMENT") -> int:
        """The version of a spec that is checked and approved."""
        checked = prepared(read_spec(spec), self.connections)
        return approve(self.db, spec, columns_written(checked), who, environment)

    def run(self, name: str, now: datetime = NOW) -> Report:
        """One run of an approved pipeline."""
        with self.db.transaction() as conn:
            version = approved(conn, name)
        return run_pipeline(self.connections, version, now)

    def load(self, spec: str, now: datetime = NOW) -> Report:
        """Approve, and run."""
        self.approve(spec)
        return self.run(read_spec(spec).pipeline, now)


@pytest.fixture
def bench(db: DatabaseManager, tmp_path: Path) -> Bench:
    """Folders of the test's own, on the module's database, whose schema `sales` is empty again for each test."""
    landing, exports = tmp_path / "landing", tmp_path / "exports"
    landing.mkdir()
    exports.mkdir()
    given = {
        "warehouse": {"writable_schemas": "sales"},
        "landing": {"kind": "folder", "root": landing},
        "exports": {"kind": "folder", "root": exports, "writable": True},
        "erp": {"kind": "postgres", "url": db.url},
    }
    settings = Settings.model_validate({"connections": given})
    made = Bench(db, connections_of(settings, db), landing, exports)
    made.sql(
        "DROP SCHEMA IF EXISTS sales CASCADE; CREATE SCHEMA sales; TRUNCATE pipelines, pipeline_runs, pipeline_checks, "
        "pipeline_watermarks, pipeline_files, pipeline_dead, pipeline_pauses, pipeline_sink_files"
    )
    return made


@pytest.fixture
def orders(bench: Bench) -> Callable[[str], str]:
    """A table sales.orders, and a spec that loads `orders/*.csv` into it by a given sink."""
    bench.sql(
        "CREATE TABLE sales.orders (order_id bigint PRIMARY KEY, amount numeric(8,2) NOT NULL, status text, "
        "seen timestamptz)"
    )

    def spec(sink: str, source: str = "", steps: str = "[]") -> str:
        return (
            "pipeline: orders_load\n"
            "sources: {orders: {kind: csv, at: landing, path: 'orders/*.csv', columns: {order_id: int, amount: "
            f"'decimal(12,2)', status: text, seen: timestamp}}{source}}}}}\n"
            f"steps: {steps}\n"
            f"sink: {{table: sales.orders, {sink}}}\n"
            "run: {dead_share: 0.5}\n"
        )

    return spec
