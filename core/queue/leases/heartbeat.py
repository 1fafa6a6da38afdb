"""The heartbeat: a thread that extends all leases at once; a second one does the leader's duties if this process leads.

Two, because a duty may take long or wait for a lock, and a beat must not wait with it. Neither computes anything, so a
kernel that gives the interpreter lock up cannot starve them; one that keeps it for a whole lease life would.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from core.errors import HeadraceError
from core.processes import on_fork
from core.queue.batches import ClaimedBatch
from core.settings import QueueSettings

log = logging.getLogger(__name__)

# A duty that is under way when the keeper stops ends by itself; who stops does not wait for it longer than this.
STOP_DUTY_S = 2.0


class Beating(Protocol):
    """What the keeper needs of the queue."""

    settings: QueueSettings

    def attach(self, keeper: LeaseKeeper) -> None:
        """Learn of a keeper, to call its `ending`."""

    def heartbeat(self, batches: Sequence[ClaimedBatch]) -> list[int]:
        """Extend leases; ids of those lost."""

    def beat_worker(self, n_leases: int) -> None:
        """Tell that this worker lives."""

    def leave(self) -> None:
        """Lead no more, and take this worker off the list."""

    def lead_and_sweep(self) -> None:
        """The leader's duties, if this process leads."""

    def refresh_depth(self) -> None:
        """Renew the cached depth, if this process leads."""

    def promote(self) -> None:
        """Make due batches ready, if this process leads."""


class LeaseKeeper:
    """Context manager around daemon threads; `lost` holds the ids of batches that were taken away.

    A batch that is just being ended still beats, for its COPY may take long, but is not called lost: a beat waits
    behind the commit that deletes the header, and would find it gone.

    Args:
        wait: pauses for so many seconds and returns True to stop; tests hand in their own.
        on_beat: called before each beat, by the thread that beats.
    """

    def __init__(
        self,
        queue: Beating,
        wait: Callable[[float], bool] | None = None,
        *,
        on_beat: Callable[[], None] | None = None,
    ) -> None:
        self._queue = queue
        self._given_wait = wait
        self._on_beat = on_beat
        self._begin()
        on_fork(self, LeaseKeeper._begin)
        queue.attach(self)

    def _begin(self) -> None:
        """Without leases and threads; so also in a child made by fork, where none of the parent's threads runs."""
        self._stop = threading.Event()
        self._wait = self._given_wait or self._stop.wait
        self._lock = threading.Lock()
        self._held: dict[int, ClaimedBatch] = {}
        self._ending: set[int] = set()
        self.lost: set[int] = set()
        self._threads: list[threading.Thread] = []
        self._failing: dict[str, str] = {}

    def __enter__(self) -> LeaseKeeper:
        """Start the threads."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the threads; leases that are still held stay until they expire or are released."""
        self.stop()

    @property
    def running(self) -> bool:
        """Whether it beats."""
        return bool(self._threads)

    def start(self) -> None:
        """Begin to beat; once started, starting again does nothing."""
        with self._lock:
            if not self._threads:
                loops = {"headrace-keeper": self._beats, "headrace-leader": self._duties}
                self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in loops.items()]
                for thread in self._threads:
                    thread.start()

    def stop(self) -> None:
        """End the threads; it can be started again. Waits for a beat, and a moment for a duty that is under way."""
        self._stop.set()
        threads, self._threads = self._threads, []
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(None if thread.name == "headrace-keeper" else STOP_DUTY_S)
        if threads:
            # Who beats no more must not be taken for dead: the reaper ends the backends of those.
            self._attempt("leaving", self._queue.leave)
        self._stop = threading.Event()
        self._wait = self._given_wait or self._stop.wait

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

    def _beats(self) -> None:
        wait = self._wait
        while not wait(self._queue.settings.beat_s):
            if self._on_beat is not None:
                self._attempt("giving back what waits too long", self._on_beat)
            self._attempt("a heartbeat", self.beat)

    def _duties(self) -> None:
        settings, wait = self._queue.settings, self._wait
        step_s = min(settings.depth_every_s, settings.rescue_every_s, settings.poll_s)
        since_sweep_s = since_depth_s = 0.0
        while not wait(step_s):
            since_sweep_s += step_s
            since_depth_s += step_s
            if since_sweep_s >= settings.rescue_every_s:
                # A sweep renews the depth too.
                since_sweep_s = since_depth_s = 0.0
                self._attempt("the leader's round", self._queue.lead_and_sweep)
                continue
            # A pause of milliseconds after a failed attempt must not last until the next round.
            self._attempt("making due batches ready", self._queue.promote)
            if since_depth_s >= settings.depth_every_s:
                since_depth_s = 0.0
                self._attempt("renewing the depth", self._queue.refresh_depth)

    def _attempt(self, what: str, duty: Callable[[], None]) -> None:
        """A database that is away for a moment: leases outlive two lost beats, and the next one tries again."""
        try:
            duty()
        except HeadraceError as error:
            # Said once, not with every beat.
            if self._failing.get(what) != error.message:
                log.warning("%s failed, the next one tries again: %s", what, error.message)
            self._failing[what] = error.message
        else:
            if self._failing.pop(what, None) is not None:
                log.info("%s works again", what)
