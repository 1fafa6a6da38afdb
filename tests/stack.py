"""Stacks as `headrace up` makes them, each in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.prefect_server import call
from tests.processes import LIMIT_S, free_port

ROOT = Path(__file__).parents[1]
HEADRACE = [sys.executable, "-c", "from core.cli import main; main()"]


@dataclass(frozen=True)
class Stack:
    """Where a stack of these tests' own lives."""

    folder: Path
    api_port: int
    web_port: int

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
        return subprocess.run(
            [*HEADRACE, *arguments],
            env=keep | {"HEADRACE_STATE_DIR": str(self.folder), "HEADRACE_EMBEDDED__SHARED_BUFFERS_MB": "64"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--detach", "--api-port", str(self.api_port), "--web-port", str(self.web_port), "--json")

    def call(self, path: str, body: Any = None) -> Any:
        return call({"PREFECT_API_URL": f"{self.ui_url}/api"}, "GET" if body is None else "POST", path, body)

    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "stack" / "stack.json").read_text()))

    def processes(self) -> list[psutil.Process]:
        """All that live on this stack's folder, PostgreSQL included."""
        found = []
        for process in psutil.process_iter():
            try:
                words = " ".join(process.cmdline()) + " ".join(f"{k}={v}" for k, v in process.environ().items())
                if str(self.folder) in words + process.cwd() and process.pid != os.getpid():
                    found.append(process)
            except psutil.Error:
                continue
        return found


@contextmanager
def own_stack() -> Iterator[Stack]:
    """Where nothing runs yet; whatever was started is down afterwards."""
    # A short path that PostgreSQL's user can enter.
    folder = Path(tempfile.mkdtemp(prefix="hr-up-", dir="/tmp"))
    folder.chmod(0o711)
    made = Stack(folder, free_port(), free_port())
    try:
        yield made
    finally:
        made.run("down")
        shutil.rmtree(folder, ignore_errors=True)
