"""What the version before left behind, laid out, and commands that find it. How it was made: left_behind/README.md."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

# Promised to nobody, so they may move: core.cli.app and core.database.{connect,migrations,embedded}.
from core.cli.app import build
from core.database import DatabaseManager, connect, migrations
from core.database.embedded import EmbeddedServer
from core.settings import DatabaseSettings
from tests.conftest import fresh_database

LEFT = Path(__file__).parent / "left_behind" / "7722192.tar.xz"
# What stands in the files for the folder that they were made in.
HERE = "@here@"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything is laid, so that what the database says of places is true."""
    return tmp_path_factory.mktemp("left")


@pytest.fixture(scope="module")
def template(postgres: EmbeddedServer, folder: Path) -> Iterator[str]:
    """Name of the database that the version before left, brought to the present schema."""
    lay_out(folder)
    with fresh_database(postgres, "template1") as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute((folder / "database.sql").read_bytes())
        migrations.migrate(connect.Source(url), DatabaseSettings())
        yield url.partition("@/")[2].partition("?")[0]


@pytest.fixture
def here(folder: Path) -> Path:
    """The folder as the version before left it."""
    lay_out(folder)
    return folder


def lay_out(folder: Path) -> None:
    shutil.rmtree(folder)
    with tarfile.open(LEFT) as packed:
        packed.extractall(folder, filter="data")
    for path in folder.rglob("*"):
        if path.suffix in {".json", ".sql"}:
            path.write_text(path.read_text(encoding="utf-8").replace(HERE, str(folder)), encoding="utf-8")


@pytest.fixture
def old_url(postgres: EmbeddedServer, template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A copy of that database, which commands and `open_runtime` find."""
    with fresh_database(postgres, template) as url:
        monkeypatch.setenv("HEADRACE_DATABASE__URL", url)
        yield url


@pytest.fixture
def old_db(old_url: str) -> Iterator[DatabaseManager]:
    manager = DatabaseManager("tests", DatabaseSettings(url=SecretStr(old_url), connect_retry_s=5))
    yield manager
    manager.dispose()


@pytest.fixture
def headrace(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command where the version before kept its state."""
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(here / "state"))

    def run(*words: object) -> str:
        done = CliRunner().invoke(build(), [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


@pytest.fixture
def answered(headrace: Callable[..., str]) -> Callable[..., Any]:
    """Run a command with `--json`; returns what it says."""
    return lambda *words: json.loads(headrace(*words, "--json"))


@pytest.fixture
def explained(here: Path) -> list[str]:
    """The two records that explained.json is about: those of decisions.csv."""
    return [str(name) for name in pl.read_csv(here / "decisions.csv", infer_schema=False).row(0)[:2]]
