"""Becoming a flow: the command line stands below `flows` and may not import it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from core.deploying.servers import BATCHED, QUIET, RUN_LOG
from core.processes import python


def become_flow(module: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by a run of the module, on the API of a local stack that runs, unless another is configured.

    Without any API to talk to Prefect starts a server of its own; on a busy machine that takes longer than it waits.
    """
    environment = flow_environment()
    set_up_server(environment)
    sys.stdout.flush()
    line = python("core.terminal.start", module, *arguments)
    os.execve(line[0], line, environment)  # noqa: S606 - no shell


def set_up_server(environment: Mapping[str, str]) -> None:
    """Make what a temporary server of Prefect wants in its database, once a version of Prefect; others wait meanwhile.

    Two servers that make it at the same time trip over each other's tables. Nothing is done where an API or a database
    is configured. Where it fails, the server makes its database itself, as it would have.
    Cost: some seconds the first time, most of which the server then saves; later a look at two files.
    """
    if environment.get("PREFECT_API_URL") or environment.get("PREFECT_API_DATABASE_CONNECTION_URL"):
        return
    home = Path(environment.get("PREFECT_HOME") or "~/.prefect").expanduser()
    mark, database = home / f"headrace-prefect-{version('prefect')}.ready", home / "prefect.db"
    with suppress(OSError):
        if mark.exists() and database.exists():
            return
        home.mkdir(parents=True, exist_ok=True)
        with (home / "headrace.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if mark.exists() and database.exists():
                return
            command = python("flows.server.first_start")
            done = subprocess.run(command, env=dict(environment), capture_output=True, check=False)  # noqa: S603
            if done.returncode == 0:
                mark.touch()


def flow_environment() -> dict[str, str]:
    """Ours, and what a flow needs beside it: the API of a local stack unless another is configured."""
    ours = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180", **QUIET, **BATCHED, **RUN_LOG}
    environment = ours | os.environ
    if not environment.get("PREFECT_API_URL") and (api_url := _local_api()):
        environment["PREFECT_API_URL"] = api_url
    if not Path(os.path.expanduser("~")).is_dir():
        # Prefect would warn that it has no place for its settings.
        from core.settings import read_settings

        environment.setdefault("PREFECT_HOME", str(read_settings().state_dir.expanduser().absolute() / "prefect"))
    return environment


def _local_api() -> str | None:
    """The API of the stack that `headrace up` runs for this state directory."""
    from core.settings import read_settings
    from core.stack.state import running_stack

    stack = running_stack(read_settings().state_dir)
    return None if stack is None else stack.api_url
