from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.terminal.become_flow import flow_environment, set_up_server


def test_flow_without_a_home_keeps_prefects_things_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "absent"))
    assert flow_environment()["PREFECT_HOME"] == str(tmp_path / "prefect")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "PREFECT_HOME" not in flow_environment()


def test_database_of_a_temporary_server_is_made_once_by_those_that_begin_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        made.append(command)
        (tmp_path / "prefect.db").touch()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("core.terminal.become_flow.subprocess.run", run)
    environment = {"PREFECT_HOME": str(tmp_path)}
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(set_up_server, [environment] * 4))
    (command,) = made
    assert command[1:] == ["-P", "-m", "flows.server.first_start"]
    # A database that somebody removed is made again; none for who has an API or a database.
    (tmp_path / "prefect.db").unlink()
    set_up_server(environment | {"PREFECT_API_URL": "http://localhost:1/api"})
    set_up_server(environment | {"PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://localhost/x"})
    assert len(made) == 1
    set_up_server(environment)
    assert len(made) == 2
