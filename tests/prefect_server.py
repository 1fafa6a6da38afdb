"""Prefect servers of the tests, and how tests ask them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from core.database.embedded import EmbeddedServer
from core.deploying.servers import QUIET
from tests.conftest import fresh_database
from tests.processes import end, free_port, until


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
    """A server that can be killed and started again on the same port and database; `env` points at it."""

    def __init__(self, database_url: str, home: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
        self.env = own | {
            **QUIET,
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_HOME": str(home),
            # Prefect's runner keeps a folder of a fixed name there, which another user of the machine may own.
            "TMPDIR": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
        }
        self._own = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url, **settings}
        self._log = home / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(self.port), "--no-ui"]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(command, env=self.env | self._own, stdout=out, stderr=subprocess.STDOUT)
        until(self._answers, lambda: self._log.read_text()[-2000:])

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            for one in [*psutil.Process(self._process.pid).children(recursive=True), self._process]:
                one.kill()
            self._process.wait(30)

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        try:
            return call(self.env, "GET", "/health") is True
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def served(postgres: EmbeddedServer, home: Path, settings: Mapping[str, str]) -> Iterator[PrefectServer]:
    """A server that runs, on a database of its own beside those of the tests, as a stack's does."""
    with fresh_database(postgres, "template0") as url:
        server = PrefectServer(url.replace("postgresql:", "postgresql+asyncpg:", 1), home, settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
