"""consume: a consumer as a flow run, so that the runs of a work pool are consumers."""

from __future__ import annotations

import asyncio
import signal
import threading
from dataclasses import asdict
from typing import Any

from prefect import flow
from prefect._internal.control_listener import get_intent
from prefect.states import Failed

from core.consuming.request import ConsumeRequest
from core.consuming.run import ConsumerRun
from core.errors import HeadraceError, QueueError
from core.monitoring.exposition import dead_letters
from core.queue.consumers.supervisor import Figures
from core.runtime import open_runtime
from flows.runs import run_names
from flows.runs.events import dead_lettered
from flows.runs.policies import in_words
from flows.runs.wiring import settings_of


@flow(name="consume", flow_run_name=run_names.of_consumer, persist_result=False)
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
    """Run it in a thread: the main one is Prefect's, whose handler of SIGTERM cancels this coroutine.

    The consumer then drains, and the run ends as what it is, completed: Prefect would call it crashed, and a fleet that
    was told to go would look like one that fails. Where Prefect's runner says what the run becomes (cancelled, or
    scheduled again when its pod is evicted), that is left to it.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Figures] = loop.create_future()
    figures: list[Figures] = []

    def settle(error: HeadraceError | None) -> None:
        if ended.cancelled():
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(figures[0])

    def work() -> None:
        why: HeadraceError | None = QueueError("the consumer ended by an error of its own; see the log of the run")
        try:
            figures.append(consumer.run())
            why = None
        except HeadraceError as error:
            why = error
        finally:
            loop.call_soon_threadsafe(settle, why)

    thread = threading.Thread(target=work, name="headrace-consumer")
    thread.start()
    try:
        return await ended
    except asyncio.CancelledError:
        _drain(consumer, thread)
        if get_intent() is not None or not figures:
            raise
        return figures[0]
    finally:
        # Nobody waits any more, or it has ended: in both cases nothing of it is left running.
        consumer.stop()
        thread.join()


def _drain(consumer: ConsumerRun, thread: threading.Thread) -> None:
    """Wait for the end within the consumer's own grace; a second SIGTERM says nothing new."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    consumer.stop()
    thread.join()
