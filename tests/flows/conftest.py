"""The run's Prefect server, and the flow as processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import polars as pl
import pytest

from core.database.embedded import EmbeddedServer
from core.made_records.persons.generator import generate_persons
from tests.conftest import create_database
from tests.flows.in_process import run_flow
from tests.prefect_server import PrefectServer, at_hand

ROWS = 5_000


@pytest.fixture(scope="module")
def prefect_server(services_folder: Path, postgres: EmbeddedServer) -> Iterator[PrefectServer]:
    """The run's server, for this module alone until its end."""
    owner = int((services_folder / "owner").read_text())

    def new_database() -> str:
        return postgres.url(create_database(postgres, "template0"))

    with at_hand(services_folder / "prefect", owner, new_database) as server:
        yield server


@pytest.fixture(scope="module")
def prefect_env(prefect_server: PrefectServer) -> dict[str, str]:
    """Environment that points at the run's Prefect server."""
    return prefect_server.env


@pytest.fixture(scope="session")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of generated persons with their truth."""
    path = tmp_path_factory.mktemp("persons") / "persons.parquet"
    generate_persons(ROWS, seed=11, duplicates=0.3).write_parquet(path)
    return path


StartFlow = Callable[..., "subprocess.Popen[bytes]"]
FlowHere = Callable[..., CompletedProcess[str]]


@pytest.fixture
def start_flow(prefect_env: dict[str, str], database_url: str, tmp_path: Path, persons: Path) -> Iterator[StartFlow]:
    """Start the flow in a process: `start_flow(out, **request)`; whatever still runs at the end is killed."""
    with flow_processes(prefect_env, database_url, tmp_path, persons) as start:
        yield start


@pytest.fixture
def flow_here(prefect_env: dict[str, str], database_url: str, tmp_path: Path, persons: Path) -> FlowHere:
    """The same in this process, to its end."""

    def run(out: Path, **request: Any) -> CompletedProcess[str]:
        env = prefect_env | queue_settings(database_url, tmp_path)
        return run_flow(env, "identity_resolution", _request(persons, out, request), "--json")

    return run


def queue_settings(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Leases end soon."""
    return {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_STATE_DIR": str(tmp_path / "state"),
        "HEADRACE_QUEUE__LEASE_TTL_S": "3",
        "HEADRACE_QUEUE__BEAT_S": "0.5",
        "HEADRACE_QUEUE__RESCUE_EVERY_S": "0.5",
        "HEADRACE_QUEUE__POLL_S": "0.1",
    }


def _request(persons: Path, out: Path, more: dict[str, Any]) -> str:
    said = {"input": str(persons), "id_column": "id", "out": str(out), "range_rows": 1_500, "pairs_per_batch": 2_000}
    return json.dumps(said | more)


@contextmanager
def flow_processes(
    prefect_env: dict[str, str], database_url: str, tmp_path: Path, persons: Path
) -> Iterator[StartFlow]:
    """Flows as processes on one database, with leases that end soon."""
    started: list[subprocess.Popen[bytes]] = []
    env = prefect_env | queue_settings(database_url, tmp_path)

    def start(out: Path, **request: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.identity_resolution", _request(persons, out, request), "--json"]
        with (tmp_path / f"flow-{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
            process.wait(30)
            if process.stdout is not None:
                process.stdout.close()


def finished(process: subprocess.Popen[bytes], tmp_path: Path) -> dict[str, Any]:
    """Wait for a flow that must succeed; returns its figures."""
    stdout, _ = process.communicate(timeout=240)
    logs = "\n".join(path.read_text()[-3000:] for path in sorted(tmp_path.glob("flow-*.log")))
    assert process.returncode == 0, logs
    return dict(json.loads(stdout))


def partition_of(out: Path) -> set[frozenset[str]]:
    """Entities as sets of record ids."""
    groups = pl.read_parquet(out).group_by("entity_id").agg("id")
    return {frozenset(ids) for ids in groups["id"].to_list()}
