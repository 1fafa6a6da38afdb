"""Runs a command for as long as the run of the tests lives: `python -S tests/keeper.py OWNER_PID PID_FILE COMMAND...`.

A server that all test processes share has none of them for a parent, so this returns at once. Told to end (SIGTERM), or
once its owner is gone, killed even, the keeper ends the command with all its children. Standard library only: it takes
8 MB and no time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

LOOK_EVERY_S = 0.5


def alive(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def start(owner: int, pid_file: Path, command: list[str], env: dict[str, str], log: Path) -> None:
    """Start a command with its keeper, whose id the file has afterwards."""
    line = [sys.executable, "-S", __file__, str(owner), str(pid_file), *command]
    with log.open("ab") as out:
        subprocess.run(line, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)


def end(pid_file: Path) -> None:
    """End what a keeper keeps, and the keeper; whoever started it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        while alive(pid):
            time.sleep(0.01)
    pid_file.unlink(missing_ok=True)


def _told_to_end(*_: object) -> NoReturn:
    raise SystemExit(0)


def _keep(owner: int, command: list[str]) -> None:
    process = subprocess.Popen(command, start_new_session=True)
    try:
        while process.poll() is None and alive(owner):
            time.sleep(LOOK_EVERY_S)
    finally:
        # Its session's processes. What they hold belongs to the tests, and is thrown away.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _main(owner: int, pid_file: Path, command: list[str]) -> None:
    signal.signal(signal.SIGTERM, _told_to_end)
    if pid := os.fork():
        pid_file.write_text(str(pid))
        os._exit(0)
    os.setsid()
    _keep(owner, command)


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
