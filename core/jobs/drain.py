"""The drain of a stage: claim, hand to runners, never more in flight than they can begin soon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.jobs.ports import Stage
from core.jobs.session import JobSession

F = TypeVar("F")


async def hand_out(
    session: JobSession,
    stage: Stage,
    limit: int,
    *,
    at_once: int,
    submit: Callable[[str], F],
    first_done: Callable[[list[F]], Awaitable[F]],
) -> int:
    """Keep `at_once` batches in flight until the stage is drained by us and by others, or `limit` were taken.

    Args:
        submit: starts the work on a claimed batch, by its tag.
        first_done: waits for whichever of the started ones ends first.
    Returns:
        How many batches this call took.
    Raises:
        JobBlocked: a batch is dead.
    """
    flying: list[F] = []
    taken, idle_s = 0, 0.0
    while True:
        wanted = min(at_once - len(flying), limit - taken)
        tags = session.claim(stage, wanted) if wanted else []
        flying += [submit(tag) for tag in tags]
        taken += len(tags)
        if flying:
            flying.remove(await first_done(flying))
            idle_s = 0.0
        elif taken >= limit or session.progress(stage).drained:
            return taken
        else:
            session.note_idle(stage, idle_s)
            await asyncio.sleep(session.poll_s)
            idle_s += session.poll_s
