"""A real PostgreSQL takes what `headrace db tune` prints, and the scaler's role may do one thing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import errors

from core.database import connect, migrations
from core.database.embedded import EmbeddedServer
from core.settings import DatabaseSettings
from tests.command import headrace


def tuned(*options: str) -> subprocess.CompletedProcess[str]:
    return headrace("db", "tune", *options)


@pytest.mark.parametrize(
    "options",
    [
        ("--ram", "512MB", "--cores", "1", "--disk", "hdd"),
        ("--ram", "64GB", "--cores", "16", "--disk", "ssd"),
        ("--ram", "2TB", "--cores", "256", "--disk", "network", "--connections", "2000"),
    ],
)
def test_postgres_takes_every_setting(postgres: EmbeddedServer, tmp_path: Path, options: tuple[str, ...]) -> None:
    done = tuned(*options, "--conf")
    assert done.returncode == 0, done.stderr
    conf = tmp_path / "postgresql.conf"
    conf.write_text(done.stdout)
    # -C reads and checks the whole file, prints one value, and starts nothing; so root may do it.
    command = [postgres.program("postgres"), "-C", "max_connections", f"--config-file={conf}", "-D", tmp_path]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.strip() == (options[-1] if "--connections" in options else "100")


def test_postgres_would_refuse_a_wrong_setting(postgres: EmbeddedServer, tmp_path: Path) -> None:
    conf = tmp_path / "postgresql.conf"
    conf.write_text("work_memory = 4MB\n")
    command = [postgres.program("postgres"), "-C", "max_connections", f"--config-file={conf}", "-D", tmp_path]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode != 0
    assert 'unrecognized configuration parameter "work_memory"' in checked.stderr


def test_tune_prints_json_with_a_reason_each() -> None:
    rows = json.loads(tuned("--ram", "64GB", "--cores", "16", "--disk", "ssd", "--json").stdout)
    assert {"name": "fsync", "value": "on", "reason": "never off: without it a crash destroys the database"} in rows


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ram", "lots", "--cores", "4"), "--ram 'lots': say a number and a unit"),
        (("--ram", "8GB", "--cores", "4", "--set", "fsync=off"), "fsync=off is refused"),
        (("--ram", "8GB", "--cores", "4", "--conf", "--json"), "exclude each other"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_2(options: tuple[str, ...], words: str) -> None:
    done = tuned(*options)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def scaler(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of the role `headrace_scaler`, as KEDA has it, after a migration."""
    source = connect.Source(database_url)
    assert migrations.grant_scaler(source, DatabaseSettings()) is False, "without the role nothing happens"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("CREATE ROLE headrace_scaler")
        assert migrations.grant_scaler(source, DatabaseSettings()) is True
        conn.execute("SET ROLE headrace_scaler")
        yield conn
        conn.execute("RESET ROLE")
        conn.execute("DROP OWNED BY headrace_scaler")
        conn.execute("DROP ROLE headrace_scaler")


def test_scaler_may_ask_for_the_backlog(scaler: psycopg.Connection[Any]) -> None:
    assert scaler.execute("SELECT queue_backlog('identity-resolution', 41)").fetchone() == (0,)


@pytest.mark.parametrize("statement", ["TABLE processing_queue", "TABLE queue_depth_v1", "DELETE FROM queue_flows"])
def test_scaler_may_do_nothing_else(scaler: psycopg.Connection[Any], statement: LiteralString) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        scaler.execute(statement)
