"""consume: a consumer as a flow run, so that the runs of a work pool are consumers."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import asdict
from typing import Any

from prefect import flow
from prefect.states import Failed

from core.consuming.request import ConsumeRequest
from core.consuming.run import ConsumerRun
from core.errors import HeadraceError, QueueError
from core.monitoring.exposition import dead_letters
from core.queue.supervisor import Figures
from core.runtime import open_runtime
from flows.events import dead_lettered
from flows.policies import in_words
from flows.wiring import settings_of


@flow(name="consume", persist_result=False)
async def consume(request: ConsumeRequest, postgres_block: str | None = None) -> Any:
    """Take batches until none has come for a while; returns what was done.

    The queue knows nothing of Prefect: while its API is away the work goes on, and the run reports when it ends.
    """
    try:
        with open_runtime(settings_of(postgres_block)) as runtime:
            before = dead_letters(runtime.db)
            figures = await _beside(ConsumerRun(runtime, request))
            dead_lettered(before, dead_letters(runtime.db))
    except HeadraceError as error:
        return in_words(error)
    if figures.exit_code:
        return Failed(message="workers do not start; see the log of the run", data=asdict(figures))
    return asdict(figures)


async def _beside(consumer: ConsumerRun) -> Figures:
    """Run it in a thread: the main one is Prefect's, whose SIGTERM ends this flow; the consumer then drains."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Figures] = loop.create_future()

    def tell(figures: Figures | None, error: HeadraceError | None) -> None:
        if ended.cancelled():
            return
        if error is not None:
            ended.set_exception(error)
        elif figures is not None:
            ended.set_result(figures)

    def work() -> None:
        lost = QueueError("the consumer ended by an error of its own; see the log of the run")
        done: tuple[Figures | None, HeadraceError | None] = (None, lost)
        try:
            done = (consumer.run(), None)
        except HeadraceError as error:
            done = (None, error)
        finally:
            loop.call_soon_threadsafe(tell, *done)

    thread = threading.Thread(target=work, name="headrace-consumer")
    thread.start()
    try:
        return await ended
    finally:
        # Nobody waits any more, or it has ended: in both cases nothing of it is left running.
        consumer.stop()
        thread.join()
