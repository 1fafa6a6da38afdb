"""One program of the benchmark in a process of its own: its answer, its wall time, its memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from core.errors import MatchError

SAMPLE_S = 0.02
MESSAGE_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Ran:
    """The JSON a program printed, seconds from its start to its end, and the most memory it and its children had.

    Memory is resident memory in MiB, sampled every `SAMPLE_S`; pages that two processes share count twice.
    """

    answer: dict[str, Any]
    seconds: float
    peak_rss_mb: float


def run(command: Sequence[str], order: Mapping[str, Any], environment: Mapping[str, str]) -> Ran:
    """Run a program, give it one line of JSON, and wait for its end.

    Raises:
        MatchError: it failed; with the end of what it said.
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        asked.write(json.dumps(order).encode() + b"\n")
        asked.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules, no shell
            list(command), stdin=asked, stdout=said, stderr=complained, env={**os.environ, **environment}
        )
        try:
            with _sampled(process.pid) as peak:
                code = process.wait()
        finally:
            process.kill()
            process.wait()
        seconds = time.perf_counter() - started
        said.seek(0)
        complained.seek(0)
        if code != 0:
            words = complained.read().decode(errors="replace").strip()[-MESSAGE_CHARACTERS:]
            raise MatchError(f"{' '.join(command[:4])} ended with exit code {code}: {words}", exit_code=code)
        return Ran(json.loads(said.read()), round(seconds, 3), round(max(peak) / 2**20, 1))


@contextmanager
def _sampled(pid: int) -> Iterator[list[int]]:
    """Resident bytes of a process and its children, a sample an entry, while the body runs."""
    ended = threading.Event()
    samples = [0]

    def watch() -> None:
        while not ended.wait(SAMPLE_S):
            samples.append(_tree_rss(pid))

    watcher = threading.Thread(target=watch, name="bench-memory", daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        ended.set()
        watcher.join()


def _tree_rss(pid: int) -> int:
    total = 0
    try:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.Error:
        # A process that ended while we looked adds nothing more.
        return total
    return total
