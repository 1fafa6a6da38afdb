"""`headrace db` and `headrace doctor` as a user calls them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.cli.db.commands import _kept_elsewhere
from core.database.embedded import EmbeddedServer, server_at
from core.errors import StoreError
from core.settings import EmbeddedSettings, Settings
from tests.command import headrace

Headrace = Callable[..., subprocess.CompletedProcess[str]]


def call(environ: dict[str, str], *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", "from core.cli import main; main()", *words],
        env={**environ, "COLUMNS": "200"},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def here(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, for commands that leave no server behind."""
    return headrace(*words, env={**environ, "COLUMNS": "200"})


@pytest.fixture(scope="module")
def state(services_folder: Path) -> Iterator[Path]:
    folder = services_folder / f"c{uuid.uuid4().hex[:8]}"
    yield folder
    server_at(folder, EmbeddedSettings()).shut_down()


@pytest.fixture
def environ(state: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "PREFECT_", "PG"))}
    return {**kept, "HEADRACE_STATE_DIR": str(state), "HEADRACE_EMBEDDED__SHARED_BUFFERS_MB": "16"}


def test_db_up_status_psql_down_tell_one_story(environ: dict[str, str], state: Path) -> None:
    server = server_at(state, EmbeddedSettings())
    before = json.loads(call(environ, "db", "status", "--json").stdout)
    assert (before["running"], before["revisions"]) == (False, [])
    assert not state.exists(), "status must not create anything"

    up = call(environ, "db", "up")
    assert up.returncode == 0, up.stderr
    assert up.stdout.startswith(f"started: {server.url()}\napplied revisions: 0001, ")
    assert server.is_running()
    assert call(environ, "db", "up").stdout.splitlines() == [
        f"already running: {server.url()}",
        "applied revisions: none, the schema is current",
    ]

    status = json.loads(call(environ, "db", "status", "--json").stdout)
    assert (status["running"], status["kept"], status["users"], status["encoding"]) == (True, True, [], "UTF8")
    assert all(step["applied"] for step in status["revisions"])
    table = call(environ, "db", "status").stdout
    assert re.search(r"0001\s+Extensions", table), table
    assert "NO" not in table

    assert call(environ, "db", "psql", "--", "-At", stdin="SELECT 6 * 7").stdout == "42\n"
    assert call(environ, "db", "psql", "--", "-At", "-c", "SELECT nothing").returncode == 1
    assert server.is_running()
    assert call(environ, "db", "url").stdout == server.url() + "\n"

    assert call(environ, "db", "down").stdout == "stopped\n"
    assert not server.is_running()
    assert call(environ, "db", "down").stdout == "it was not running\n"


def test_db_migrate_of_the_embedded_server_leaves_it_stopped(environ: dict[str, str], state: Path) -> None:
    done = call(environ, "db", "migrate", "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout)["applied"], list)
    assert not server_at(state, EmbeddedSettings()).is_running()


def test_db_url_masks_the_password_unless_asked(environ: dict[str, str]) -> None:
    environ = {**environ, "HEADRACE_DATABASE__URL": "postgresql://u:hunter2@h:5432/d"}
    assert here(environ, "db", "url").stdout == "postgresql://u:***@h:5432/d\n"
    assert here(environ, "db", "url", "--show-password").stdout == "postgresql://u:hunter2@h:5432/d\n"


def test_down_says_where_data_stay_that_lie_outside_the_state_folder(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "closed")
    inside, outside = (EmbeddedServer(tmp_path / name / "postgres", EmbeddedSettings()) for name in ("closed", "at-1"))
    for server in (inside, outside):
        server.data.mkdir(parents=True)
    assert _kept_elsewhere(settings, inside) == ""
    assert _kept_elsewhere(settings, outside).startswith(f"its data stay in {tmp_path / 'at-1'}; who removes")


@pytest.mark.parametrize("command", ["up", "down"])
def test_db_up_and_down_refuse_a_server_that_is_not_ours(environ: dict[str, str], command: str) -> None:
    done = here({**environ, "HEADRACE_DATABASE__URL": "postgresql://u:hunter2@h/d"}, "db", command)
    assert done.returncode == 2
    assert done.stderr.startswith("headrace: `headrace db ")


def test_a_server_that_is_down_is_one_sentence_and_exit_75(environ: dict[str, str]) -> None:
    url = "postgresql://u:hunter2@/d?host=/nonexistent"
    done = here({**environ, "HEADRACE_DATABASE__URL": url, "HEADRACE_DATABASE__CONNECT_RETRY_S": "0.2"}, "db", "status")
    assert done.returncode == 75
    assert done.stderr.startswith("headrace: the database postgresql://u:***@/d?host=/nonexistent cannot be reached")
    assert done.stderr.count("\n") == 1


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str | None]]:
    told = json.loads(done.stdout)
    assert told["ok"] == (done.returncode == 0)
    return {one["subject"]: (one["found"], one["problem"]) for one in told["findings"]}


def test_doctor_is_content_with_what_answers(environ: dict[str, str], database_url: str, redis_url: str) -> None:
    given = {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_REDIS__URL": redis_url,
        "DEVELOPMENT_GLOBAL_RPA_DB_URL": database_url,
    }
    done = here({**environ, **given}, "doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = findings(done)
    assert "PostgreSQL 18." in found["database"][0]
    assert "PostgreSQL 18." in found["database rpa_db"][0]
    assert re.match(r"answers, version \d+\.\d+\.\d+", found["redis"][0])
    assert "prefect 3." in found["versions"][0]
    table = here({**environ, **given}, "doctor")
    assert table.returncode == 0
    assert "wrong" not in table.stdout


def test_doctor_says_in_words_what_is_wrong(environ: dict[str, str], tmp_path: Path) -> None:
    given = {
        "HEADRACE_DATABASE__URL": "postgresql://u:hunter2@/d?host=/nonexistent",
        "HEADRACE_REDIS__URL": f"unix://{tmp_path}/absent.sock",
        "HEADRACE_MATCHING__MEMORY_GB": "60000",
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        "DEVELOPMENT_GLOBAL_RPA_DB_URL": "mysql://u:hunter2@h/d",
    }
    done = here({**environ, **given}, "doctor", "--json")
    assert done.returncode == 1
    problems = {subject: problem for subject, (_, problem) in findings(done).items() if problem}
    assert list(problems) == ["machine", "database", "database rpa_db", "redis", "prefect"]
    assert "cannot be reached" in problems["database"]
    assert "cannot be read" in problems["database rpa_db"]
    assert "does not answer" in problems["redis"]
    assert "does not answer" in problems["prefect"]
    table = here({**environ, **given}, "doctor")
    assert "wrong" in table.stdout
    assert "hunter2" not in done.stdout + table.stdout + done.stderr + table.stderr


def test_doctor_says_that_a_server_which_refuses_does_answer(environ: dict[str, str]) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            api = f"http://127.0.0.1:{server.server_port}/api"
            done = here({**environ, "PREFECT_API_URL": api}, "doctor", "--json")
        finally:
            server.shutdown()
            thread.join()
    assert findings(done)["prefect"][1] == "PREFECT_API_URL answers, but not as healthy"


def test_doctor_reports_a_misspelt_setting(environ: dict[str, str]) -> None:
    done = here({**environ, "HEADRACE_QUEU__LEASE_TTL_S": "3"}, "doctor", "--json")
    assert done.returncode == 1
    assert "did you mean HEADRACE_QUEUE__LEASE_TTL_S?" in str(findings(done)["settings"][1])


def test_doctor_starts_nothing(environ: dict[str, str], services_folder: Path) -> None:
    folder = services_folder / f"d{uuid.uuid4().hex[:8]}"
    done = here({**environ, "HEADRACE_STATE_DIR": str(folder)}, "doctor", "--json")
    assert done.returncode == 0
    assert findings(done)["database"][0].endswith("not running; it starts on first use")
    assert not folder.exists()


def test_db_status_says_that_no_server_could_start(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Below a file nothing can be made, not even by root.
    (tmp_path / "file").touch()
    server = EmbeddedServer(tmp_path / "file" / "postgres", EmbeddedSettings())
    said = f"{tmp_path / 'file'} cannot be written, so no server can start in {server.home}; set HEADRACE_STATE_DIR"
    assert server.obstacle() == said
    assert EmbeddedServer(tmp_path / "postgres", EmbeddedSettings()).obstacle() is None
    monkeypatch.setattr("core.cli.db.commands._embedded", lambda settings: server)
    monkeypatch.setattr("core.cli.db.commands._masked", lambda settings: server.url())
    told = CliRunner().invoke(build(), ["db", "status", "--json"])
    assert (json.loads(told.stdout)["obstacle"], str(told.exception)) == (said, said)
    assert isinstance(told.exception, StoreError)


def test_a_full_disk_is_one_sentence(environ: dict[str, str], services_folder: Path) -> None:
    folder = services_folder / f"f{uuid.uuid4().hex[:8]}"
    home = server_at(folder, EmbeddedSettings()).home
    home.mkdir(parents=True)
    (home / "users.json.new").symlink_to("/dev/full")
    done = call({**environ, "HEADRACE_STATE_DIR": str(folder)}, "queue", "status")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be written (No space left on device); make room" in done.stderr
