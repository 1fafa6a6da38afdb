"""What Prefect costs: the same job through the queue with and without it, in turn.

Each run has a process and a database of its own: what earlier runs have left behind would weigh more than Prefect.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from core.bench.harness.database import own_database, session
from core.database.queries import load, run
from core.errors import HeadraceError
from core.linkage.request import MatchRequest
from core.processes import python

Q = load("bench")

# The same job: every thread, batch and statement.
PLAIN, PREFECT = "core.workloads.identity.bench.overhead_job", "flows.identity_resolution"
SERVER_START_LIMIT_S = 180


@dataclass(frozen=True, slots=True)
class Overhead:
    """Medians over the rounds. `job_s` is measured inside the job, `process_s` from outside, with all imports.

    The overheads are medians of what each round found, whose two runs follow each other: a machine that grows slower
    tells in the seconds, not in them. `overhead_percent` compares jobs, `process_overhead_percent` whole processes,
    which start once a job; `ms_per_batch` is the difference of the jobs over their batches.
    """

    rows: int
    batches: int
    rounds: int
    plain_job_s: float
    prefect_job_s: float
    overhead_percent: float
    ms_per_batch: float
    overhead_percent_rounds: Sequence[float]
    plain_process_s: float
    prefect_process_s: float
    process_overhead_percent: float


def measure(
    url: str,
    request: MatchRequest,
    rounds: int,
    environment: Mapping[str, str],
    said: Callable[[str, int, int], None],
) -> Overhead:
    """Run the job `rounds` times each way, A B B A, after one of each that is not counted.

    One Prefect server runs beside both: that of `environment`, or one of our own.

    Args:
        url: of the database server on which each run gets a database.
    Raises:
        HeadraceError: a run failed; says its last line.
    """
    # The files of the run before are no answer to this one.
    request = request.model_copy(update={"rerun": True})
    with _served(environment) as served:
        return _measure(url, request, rounds, served, said)


def _measure(
    url: str,
    request: MatchRequest,
    rounds: int,
    environment: Mapping[str, str],
    said: Callable[[str, int, int], None],
) -> Overhead:
    taken: dict[str, list[tuple[float, float]]] = {PLAIN: [], PREFECT: []}
    summary: dict[str, object] = {}
    for number in range(rounds + 1):
        order = (PLAIN, PREFECT) if number % 2 else (PREFECT, PLAIN)
        for module in order:
            said("runs", 2 * number + order.index(module), 2 * (rounds + 1))
            with own_database(url, migrated=True) as own:
                _settle(own)
                process_s, summary = _run(module, request, {**environment, "HEADRACE_DATABASE__URL": own})
            if number:
                taken[module].append((float(str(summary["seconds"])), process_s))
    rounds_taken = list(zip(taken[PLAIN], taken[PREFECT], strict=True))
    counts = summary["batches"]
    batches = sum(counts.values()) if isinstance(counts, dict) else 0
    percents = [_percent(plain[0], under[0]) for plain, under in rounds_taken]
    return Overhead(
        rows=int(str(summary["rows"])),
        batches=batches,
        rounds=rounds,
        plain_job_s=statistics.median(job_s for job_s, _ in taken[PLAIN]),
        prefect_job_s=statistics.median(job_s for job_s, _ in taken[PREFECT]),
        overhead_percent=statistics.median(percents),
        ms_per_batch=round(1000 * statistics.median(under[0] - plain[0] for plain, under in rounds_taken) / batches, 2),
        overhead_percent_rounds=[round(percent, 2) for percent in percents],
        plain_process_s=statistics.median(process_s for _, process_s in taken[PLAIN]),
        prefect_process_s=statistics.median(process_s for _, process_s in taken[PREFECT]),
        process_overhead_percent=statistics.median(_percent(plain[1], under[1]) for plain, under in rounds_taken),
    )


def _settle(url: str) -> None:
    """Write out what the run before has left in the server's memory: the next one shall not pay for it."""
    with session(url) as conn:
        run(conn, Q["bench_checkpoint"])


@contextmanager
def _served(environment: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The environment with a Prefect API in it: starting a server is no part of any job."""
    if environment.get("PREFECT_API_URL"):
        yield environment
        return
    with socket.socket() as probe, TemporaryDirectory(prefix="headrace-bench-") as home:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        probe.close()
        served = {**environment, "PREFECT_HOME": home, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        command = python("prefect", "server", "start", "--port", port, "--no-ui")
        with (Path(home) / "server.log").open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - Prefect's own command
                command, env={**os.environ, **served}, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                _await_answer(server, f"{served['PREFECT_API_URL']}/health")
                yield served
            finally:
                server.terminate()
                server.wait()


def _await_answer(server: subprocess.Popen[bytes], url: str) -> None:
    give_up = time.monotonic() + SERVER_START_LIMIT_S
    while server.poll() is None and time.monotonic() < give_up:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - http, our own server
                return
        except HTTPError as error:
            error.close()
            time.sleep(0.2)
        except (URLError, OSError):
            time.sleep(0.2)
    raise HeadraceError("the Prefect server that the benchmark started does not answer; set PREFECT_API_URL to one")


def _percent(plain_s: float, prefect_s: float) -> float:
    return 100.0 * (prefect_s - plain_s) / plain_s


def _run(module: str, request: MatchRequest, environment: Mapping[str, str]) -> tuple[float, dict[str, object]]:
    """Seconds of the whole process, and the figures it printed."""
    command = python(module, request.model_dump_json(), "--json")
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own modules
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    process_s = time.monotonic() - began
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise HeadraceError(f"{module} failed: {lines[-1].removeprefix('headrace: ') if lines else 'it said nothing'}")
    found: dict[str, object] = json.loads(done.stdout)
    return process_s, found
