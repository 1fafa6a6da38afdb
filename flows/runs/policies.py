"""Shared policy of flows and tasks: who retries, what is cached, how much is in flight."""

from __future__ import annotations

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Failed

from core.errors import HeadraceError

BATCH_TASK: dict[str, Any] = {"cache_policy": NO_CACHE, "retries": 0, "persist_result": False}
"""The queue retries batches and remembers their results; Prefect only shows them."""

BATCHES_PER_RUN = 1_000
"""Prefect keeps up with about two thousand task runs a flow run, and beginning one more costs as much as 40 tasks."""


def in_words(error: HeadraceError) -> State[Any]:
    """End a flow by the sentence of our own error instead of a traceback; whoever awaits it gets the error itself."""
    return Failed(message=error.message, data=error)
