"""Shared policy of flows and tasks: who retries, what is cached, how much is in flight."""

from __future__ import annotations

from typing import Any

from prefect.cache_policies import NO_CACHE

BATCH_TASK: dict[str, Any] = {"cache_policy": NO_CACHE, "retries": 0, "persist_result": False}
"""The queue retries batches and remembers their results; Prefect only shows them."""

BATCHES_PER_SUBFLOW = 1_000
"""Prefect keeps up with about two thousand task runs a flow run."""
