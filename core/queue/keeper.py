"""The heartbeat: one thread per process that extends all leases at once, and does the leader's duties if it leads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from core.errors import HeadraceError
from core.queue.batches import ClaimedBatch
from core.settings import QueueSettings

log = logging.getLogger(__name__)


class Beating(Protocol):
    """What the keeper needs of the queue."""

    settings: QueueSettings

    def attach(self, keeper: LeaseKeeper) -> None:
        """Learn of a keeper, to call its `ending`."""

    def heartbeat(self, batches: Sequence[ClaimedBatch]) -> list[int]:
        """Extend leases; ids of those lost."""

    def beat_worker(self, n_leases: int) -> None:
        """Tell that this worker lives."""

    def retire_worker(self) -> None:
        """Take this worker off the list."""

    def lead_and_sweep(self) -> None:
        """The leader's duties, if this process leads."""


class LeaseKeeper:
    """Context manager around a daemon thread; `lost` holds the ids of batches that were taken away.

    A batch that is just being ended still beats, for its COPY may take long, but is not called lost: a beat waits
    behind the commit that deletes the header, and would find it gone.

    Args:
        wait: pauses for so many seconds and returns True to stop; tests hand in their own.
    """

    def __init__(self, queue: Beating, wait: Callable[[float], bool] | None = None) -> None:
        self._queue = queue
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._lock = threading.Lock()
        self._held: dict[int, ClaimedBatch] = {}
        self._ending: set[int] = set()
        self.lost: set[int] = set()
        self._thread: threading.Thread | None = None
        queue.attach(self)

    def __enter__(self) -> LeaseKeeper:
        """Start the thread."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread; leases that are still held stay until they expire or are released."""
        self.stop()

    def start(self) -> None:
        """Begin to beat; once started, starting again does nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="headrace-keeper", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; it can be started again."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
            # Who beats no more must not be taken for dead: the reaper ends the backends of those.
            _attempt(self._queue.retire_worker)
        self._thread = None
        self._stop.clear()

    def add(self, batch: ClaimedBatch) -> None:
        """Keep this lease alive from now on."""
        with self._lock:
            self._held[batch.batch_id] = batch

    def remove(self, batch: ClaimedBatch) -> None:
        """Let go of it: it ends, or is about to."""
        with self._lock:
            self._held.pop(batch.batch_id, None)

    @contextmanager
    def ending(self, batch: ClaimedBatch) -> Iterator[None]:
        """While the block ends the batch it is not judged; afterwards it is let go, unless the block raised."""
        with self._lock:
            self._ending.add(batch.batch_id)
        try:
            yield
            self.remove(batch)
        finally:
            with self._lock:
                self._ending.discard(batch.batch_id)

    def held(self) -> list[ClaimedBatch]:
        """The leases kept now, in id order."""
        with self._lock:
            return [self._held[batch_id] for batch_id in sorted(self._held)]

    def beat(self) -> None:
        """One beat: extend what is held, note what was lost."""
        batches = self.held()
        gone = self._queue.heartbeat(batches)
        with self._lock:
            for batch_id in gone:
                if batch_id in self._ending:
                    continue
                # Removed meanwhile: it ended by our own hand.
                if self._held.pop(batch_id, None) is not None:
                    self.lost.add(batch_id)
        self._queue.beat_worker(len(batches) - len(gone))

    def _run(self) -> None:
        settings = self._queue.settings
        step_s = min(settings.beat_s, settings.rescue_every_s)
        since_beat_s = since_sweep_s = 0.0
        while not self._wait(step_s):
            since_beat_s += step_s
            since_sweep_s += step_s
            if since_beat_s >= settings.beat_s:
                since_beat_s = 0.0
                _attempt(self.beat)
            if since_sweep_s >= settings.rescue_every_s:
                since_sweep_s = 0.0
                _attempt(self._queue.lead_and_sweep)


def _attempt(duty: Callable[[], None]) -> None:
    try:
        duty()
    except HeadraceError as error:
        # A database that is away for a moment: leases outlive two lost beats, the next one tries again.
        log.warning("heartbeat failed: %s", error.message)
