"""The commands of a pipeline from its file to its history, and what they exit with."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import headrace
from tests.integration.workloads.pipelines.conftest import Bench

SPEC = """
pipeline: shop
sources:
  s: {kind: csv, at: landing, path: "*.csv", columns: {id: int, amount: "decimal(10,2)"}, incremental: {files: new}}
steps: [{do: filter, where: amount > 0}]
sink: {table: sales.shop, mode: upsert, keys: [id], create: true}
"""


def test_a_pipeline_is_approved_run_paused_and_looked_back_at(bench: Bench, database_url: str, tmp_path: Path) -> None:
    env = {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_CONNECTIONS__WAREHOUSE__WRITABLE_SCHEMAS": "sales",
        "HEADRACE_CONNECTIONS__LANDING__KIND": "folder",
        "HEADRACE_CONNECTIONS__LANDING__ROOT": str(bench.landing),
    }
    spec = tmp_path / "shop.yaml"
    spec.write_text(SPEC)
    bench.land("1.csv", "id,amount", "1,5.00", "2,-1")

    refused = headrace("pipeline", "run", spec, "--json", env=env)
    assert (refused.returncode, json.loads(refused.stdout)["state"]) == (2, "refused")
    assert "`headrace pipeline approve" in refused.stderr

    approved = headrace("pipeline", "approve", spec, "--json", env=env)
    assert json.loads(approved.stdout)["version"] == 1
    ran = headrace("pipeline", "run", spec, "--json", env=env)
    assert ran.returncode == 0
    found = json.loads(ran.stdout)
    assert found["rows"] == {"read": 2, "dead": 0, "inserted": 1, "updated": 0, "unchanged": 0}
    assert (found["state"], found["dead"], found["checks"], found["files"]) == ("published", [], [], {"s": 1})
    shown = headrace("pipeline", "run", "shop", env=env)
    assert "shop version 1: published" in shown.stdout

    bench.land("2.csv", "id,amount", "3,x")
    stopped = headrace("pipeline", "run", "shop", "--json", env=env)
    assert (stopped.returncode, json.loads(stopped.stdout)["state"]) == (1, "stopped")
    assert "'x'" not in stopped.stdout + stopped.stderr

    assert headrace("pipeline", "pause", "shop", env=env).returncode == 0
    assert headrace("pipeline", "run", "shop", env=env).returncode == 2
    assert headrace("pipeline", "resume", "shop", env=env).returncode == 0
    history = headrace("pipeline", "history", "shop", "--json", env=env)
    assert [one["state"] for one in json.loads(history.stdout)] == ["stopped", "published", "published"]
    listed = headrace("pipeline", "history", "shop", env=env)
    assert max(map(len, listed.stdout.splitlines())) <= 80
    unknown = headrace("pipeline", "run", "shopp", env=env)
    assert (unknown.returncode, "did you mean shop?" in unknown.stderr) == (2, True)
