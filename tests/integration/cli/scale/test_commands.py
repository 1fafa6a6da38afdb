from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.errors import ConfigError, HeadraceError, InputError, UnknownFlow
from core.queue import BatchQueue, FlowPolicy
from core.scaling.controller import Aim, Controller
from core.scaling.policy import Fleet, for_batches
from core.scaling.ports import Effect
from core.settings import QueueSettings
from flows.autoscale import AutoscaleRequest


@pytest.fixture(autouse=True)
def _on_this_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)


class Nobody:
    pool = "nobody"

    def census(self) -> Fleet:
        return Fleet()

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        return Effect(started=desired)


def refusal(*args: str) -> HeadraceError:
    error = CliRunner().invoke(build(), ["scale", *args]).exception
    assert isinstance(error, HeadraceError)
    return error


def test_explain_shows_decisions_and_their_reasons(db: DatabaseManager) -> None:
    empty = CliRunner().invoke(build(), ["scale", "explain"])
    assert "no decisions yet" in empty.stdout
    queue = BatchQueue(db, QueueSettings(), "producer")
    queue.register_flow(FlowPolicy("mill"))
    queue.enqueue("mill", [1] * 30, batch_rows=1)
    Controller(db, Aim("mill", for_batches(), 1_000, 7.0), Nobody(), "tests").tick()
    shown = CliRunner().invoke(build(), ["scale", "explain", "--flow", "mill"]).stdout
    assert "30 batches wait and 0 run" in shown
    (told,) = json.loads(CliRunner().invoke(build(), ["scale", "explain", "--json"]).stdout)
    assert (told["flow_name"], told["desired"], told["started"], told["ready_batches"]) == ("mill", 2, 2, 30)
    assert told["policy"]["drain_target_s"] == 60.0


def test_run_refuses_before_it_starts_anything(db: DatabaseManager) -> None:
    assert isinstance(refusal("run", "--flow", "mlil"), UnknownFlow)
    crossed = refusal("run", "--flow", "mill", "--min", "5", "--max", "3")
    assert isinstance(crossed, ConfigError)
    assert crossed.message == "min is 5 consumers and max 3: raise max or lower min"
    assert "name it with --name" in refusal("run", "--flow", "mill", "--on", "deployment").message


def test_simulate_compares_rules_and_draws(tmp_path: Path) -> None:
    out = tmp_path / "s.svg"
    (told,) = json.loads(
        CliRunner().invoke(build(), ["scale", "simulate", "--scenario", "burst", "--out", str(out), "--json"]).stdout
    )
    assert [row["rule"] for row in told["rules"]] == ["headrace", "threshold", "keda", "clairvoyant", "bound"]
    assert out.read_text().startswith("<svg")
    shown = CliRunner().invoke(build(), ["scale", "simulate", "--scenario", "burst"]).stdout
    assert "batches that wait, up to" in shown
    assert "name it with --scenario" in refusal("simulate", "--out", str(out)).message


def test_record_writes_what_simulate_replays(db: DatabaseManager, tmp_path: Path) -> None:
    queue = BatchQueue(db, QueueSettings(), "producer")
    queue.register_flow(FlowPolicy("replayed"))
    out = tmp_path / "load.csv"
    said = ["record", "--flow", "replayed", "--out", str(out)]
    assert isinstance(refusal(*said), InputError)
    queue.enqueue("replayed", ["1"] * 5, batch_rows=1)
    for batch in queue.claim("replayed", limit=5):
        queue.complete(batch)
    assert "5 batches of replayed" in CliRunner().invoke(build(), ["scale", *said]).stdout
    (told,) = json.loads(CliRunner().invoke(build(), ["scale", "simulate", "--scenario", str(out), "--json"]).stdout)
    assert told["rules"][0]["peak"] == 1


def test_run_on_prefect_becomes_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []

    def execve(program: str, line: list[str], environment: dict[str, str]) -> None:
        became.append(line)
        assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4209/api"
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    # A local stack runs.
    monkeypatch.setattr("core.terminal.become_flow._local_api", lambda: "http://127.0.0.1:4209/api")
    said = ["run", "--flow", "mill", "--on", "prefect", "--name", "consume/k8s", "--max", "7", "--json"]
    CliRunner().invoke(build(), ["scale", *said])
    (line,) = became
    assert line[1:5] == ["-P", "-m", "core.terminal.start", "flows.autoscale"]
    assert line[6:] == ["--forever", "--json"]
    request = AutoscaleRequest.model_validate_json(line[5])
    assert (request.flow_name, request.deployment, request.policy()) == (
        "mill",
        "consume/k8s",
        for_batches(max_consumers=7),
    )
