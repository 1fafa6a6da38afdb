"""Limits of depth: a producer that is too fast hears QueueFull, or waits for room, but not for ever.

Depth is what waits: rows of ready, scheduled and paused batches, of the inbox, and waiting retries. What runs is not
counted. The check is made in the transaction that enqueues, without a lock: producers that check at the same moment may
together exceed the limit, each by at most its own call. Making it exact would let one producer in at a time.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from core.database.queries import load, run
from core.errors import QueueError, QueueFull
from core.queue.batches import FlowPolicy

Q = load("queue")
T = TypeVar("T")

POLL_S = 0.05
POLL_MAX_S = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a producer waits for room, and by which clock. `jitter` draws from [0, 1)."""

    block_s: float = 0.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


def check_room(conn: psycopg.Connection[Any], policy: FlowPolicy, n_rows: int) -> None:
    """QueueFull if `n_rows` more would exceed the flow's limit of depth.

    Cost: none for a flow without a limit; else it adds up waiting batches until the limit is reached.
    """
    limit = policy.depth_limit_rows
    if limit is None or n_rows == 0:
        return
    place = {"flow_name": policy.flow_name, "tenant_id": policy.tenant_id}
    if n_rows <= limit and not run(conn, Q["depth_above"], {**place, "room": limit - n_rows}):
        return
    depth = int(run(conn, Q["depth_waiting"], place)[0][0])
    room = f"{n_rows} rows more do not fit"
    raise QueueFull(
        f"the queue of flow {policy.flow_name} is full: {depth} rows wait, the limit is {limit}, {room}; "
        + ("enqueue fewer at once" if n_rows > limit else "try again later, or add consumers"),
        queue=policy.flow_name,
        depth=depth,
        limit=limit,
        rows=n_rows,
    )


def patiently(patience: Patience, attempt: Callable[[], T]) -> T:
    """Run `attempt`, again while it raises QueueFull, until `block_s` are over; then the last QueueFull is raised.

    Each attempt is a transaction of its own: nothing is locked while waiting.
    """
    block_s = patience.block_s
    if not 0 <= block_s < math.inf:
        raise QueueError(f"block_s {block_s} is not a time to wait: give seconds, 0 for not at all", block_s=block_s)
    give_up_at = patience.clock() + block_s
    pause_s = POLL_S
    while True:
        try:
            return attempt()
        except QueueFull as full:
            left_s = give_up_at - patience.clock()
            if left_s <= 0 or full.rows > full.limit:
                raise
        patience.wait(min(left_s, pause_s * (0.5 + patience.jitter())))
        pause_s = min(2 * pause_s, POLL_MAX_S)
