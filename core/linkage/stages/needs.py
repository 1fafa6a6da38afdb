"""What memory and time each stage needs, measured.

Bytes a record and stage: on generated persons from 1 to 70 million with two threads, rounded up.
"""

from __future__ import annotations

from core.jobs.ports import Stage
from core.jobs.staged_job import StageNeeds

NEEDS = StageNeeds(
    whole={"reduce": 48, "train": 8, "plan": 24, "merge": 90, "cluster": 80, "survive": 30},
    batch={"reduce": 16, "block": 24},
)

# Share of a job's time each stage takes, measured on 1M persons; only the estimate depends on it.
SHARES: dict[Stage, float] = {
    "ingest": 0.30,
    "reduce": 0.06,
    "encode": 0.04,
    "block": 0.10,
    "train": 0.15,
    "plan": 0.01,
    "match": 0.20,
    "merge": 0.02,
    "cluster": 0.04,
    "survive": 0.06,
    "publish": 0.02,
}

STAGES: tuple[Stage, ...] = tuple(SHARES)
"""All stages in order."""
