"""The run's Prefect server, and how tests ask it.

One for all test processes, started by the first that needs it and ended with the run. A test module has it for itself:
its names (pools, deployments, automations) are the same for everybody, and some kill it.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.database import warden
from core.deploying.servers import QUIET
from tests import keeper
from tests.processes import free_port, until

# Longer than any module keeps the others waiting: they share their process, unless somebody deals files out otherwise.
TURN_LIMIT_S = 3_600.0
KEEPER = "keeper.pid"
# Automations look twice a second, and the events they saw are to be read as soon.
PROMPT = {
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT0.5S",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.5",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "PT1S",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "0.5",
}


def call(env: Mapping[str, str], method: str, path: str, body: Any = None) -> Any:
    """What the API that the environment names answers; None where that is empty."""
    request = urllib.request.Request(
        env["PREFECT_API_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class PrefectServer:
    """The server of a folder; it can be killed and started again on the same port and database. `env` points at it."""

    def __init__(self, home: Path, owner: int, database_url: str, port: int) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
        self.env = own | {
            **QUIET,
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_HOME": str(home),
            # Prefect's runner keeps a folder of a fixed name there, which another user of the machine may own.
            "TMPDIR": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        }
        self._own = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url, **PROMPT}
        self._port, self._owner = port, owner
        self._pid_file = home / KEEPER
        self._log = home / "server.log"

    def ensure_running(self) -> None:
        """Start it unless it runs; it answers afterwards."""
        if not self._runs():
            command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(self._port), "--no-ui"]
            keeper.start(self._owner, self._pid_file, command, self.env | self._own, self._log)
        until(self._answers, self._words)

    def kill(self) -> None:
        """SIGKILL; it is gone afterwards."""
        keeper.end(self._pid_file)

    def _runs(self) -> bool:
        return self._pid_file.exists() and keeper.alive(int(self._pid_file.read_text()))

    def _words(self) -> str:
        return self._log.read_text()[-2000:]

    def _answers(self) -> bool:
        assert self._runs(), self._words()
        try:
            return call(self.env, "GET", "/health") is True
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def at_hand(home: Path, owner: int, new_database: Callable[[], str]) -> Iterator[PrefectServer]:
    """The server of a folder, for nobody else until the end of the block.

    Args:
        owner: Process with which it ends.
        new_database: Makes its database and returns the URL; called once a run.
    """
    home.mkdir(exist_ok=True)
    with warden.locked(home, TURN_LIMIT_S):
        facts = home / "facts.json"
        if not facts.exists():
            url = new_database().replace("postgresql:", "postgresql+asyncpg:", 1)
            facts.write_text(json.dumps({"database_url": url, "port": free_port()}))
        server = PrefectServer(home, owner, **json.loads(facts.read_text()))
        server.ensure_running()
        try:
            yield server
        finally:
            server.ensure_running()
            _leave_no_names(server.env)


def _leave_no_names(env: Mapping[str, str]) -> None:
    """Without what the next module may call the same, and automations, which would act on its runs."""
    for what, key in (("automations", "id"), ("deployments", "id"), ("work_pools", "name")):
        for one in call(env, "POST", f"/{what}/filter", {}):
            call(env, "DELETE", f"/{what}/{one[key]}")
