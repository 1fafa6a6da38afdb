"""What Prefect costs: the same job through the queue with and without it, in processes of their own, in turn."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import HeadraceError
from core.linkage.request import MatchRequest

# The same job: every thread, batch and statement.
PLAIN, PREFECT = "core.bench.overhead_job", "flows.identity_resolution"


@dataclass(frozen=True, slots=True)
class Overhead:
    """Medians over the rounds. `job_s` is measured inside the job, `process_s` from outside, with all imports.

    `overhead_percent` compares the jobs; `process_overhead_percent` whole processes, which start once a job.
    """

    rows: int
    batches: int
    rounds: int
    plain_job_s: float
    prefect_job_s: float
    overhead_percent: float
    overhead_percent_rounds: Sequence[float]
    plain_process_s: float
    prefect_process_s: float
    process_overhead_percent: float


def measure(
    request: MatchRequest, rounds: int, environment: Mapping[str, str], said: Callable[[str, int, int], None]
) -> Overhead:
    """Run the job `rounds` times each way, A B B A, after one of each that is not counted.

    Raises HeadraceError: a run failed; says its last line.
    """
    request = request.model_copy(update={"rerun": True})
    taken: dict[str, list[tuple[float, float]]] = {PLAIN: [], PREFECT: []}
    summary: dict[str, object] = {}
    for number in range(rounds + 1):
        order = (PLAIN, PREFECT) if number % 2 else (PREFECT, PLAIN)
        for module in order:
            said("runs", 2 * number + order.index(module), 2 * (rounds + 1))
            process_s, summary = _run(module, request, environment)
            if number:
                taken[module].append((float(str(summary["seconds"])), process_s))
    plain, under = taken[PLAIN], taken[PREFECT]
    jobs = [statistics.median(job for job, _ in each) for each in (plain, under)]
    processes = [statistics.median(whole for _, whole in each) for each in (plain, under)]
    counts = summary["batches"]
    return Overhead(
        rows=int(str(summary["rows"])),
        batches=sum(counts.values()) if isinstance(counts, dict) else 0,
        rounds=rounds,
        plain_job_s=jobs[0],
        prefect_job_s=jobs[1],
        overhead_percent=_percent(jobs[0], jobs[1]),
        overhead_percent_rounds=[round(_percent(a, b), 2) for (a, _), (b, _) in zip(plain, under, strict=True)],
        plain_process_s=processes[0],
        prefect_process_s=processes[1],
        process_overhead_percent=_percent(processes[0], processes[1]),
    )


def _percent(plain_s: float, prefect_s: float) -> float:
    return 100.0 * (prefect_s - plain_s) / plain_s


def _run(module: str, request: MatchRequest, environment: Mapping[str, str]) -> tuple[float, dict[str, object]]:
    """Seconds of the whole process, and the figures it printed."""
    command = [sys.executable, "-m", module, request.model_dump_json(), "--json"]
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
