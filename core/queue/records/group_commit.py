"""Group commit between threads: whoever writes takes along what came while the one before was writing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.errors import HeadraceError, StoreUnavailable

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Entry(Generic[T]):
    items: list[T]
    done: bool = False
    refused: list[T] = field(default_factory=list)
    error: HeadraceError | None = None


class Gathering(Generic[T]):
    """Hands items of many threads to `write`, from one thread at a time.

    Alone, a thread writes at once. While it does, the items of others gather, and the next of them writes them all:
    a commit costs a sync of the disk, however much it carries.

    Args:
        write: durable when it returns; returns the items it refused. What it raises concerns all it was given.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[T]]) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._waiting: list[_Entry[T]] = []
        self._busy = False

    def submit(self, items: Sequence[T]) -> list[T]:
        """Returns when the items are written, with those that were refused; raises what their writing raised."""
        entry = _Entry(list(items))
        if group := self._join(entry):
            try:
                self._settle(group)
            finally:
                self._done(group)
        if entry.error is not None:
            raise entry.error
        return entry.refused

    def _join(self, entry: _Entry[T]) -> list[_Entry[T]]:
        """Wait until another thread has written the entry ([]), or until it is this thread's turn: what to write."""
        with self._changed:
            self._waiting.append(entry)
            while self._busy and not entry.done:
                self._changed.wait()
            if entry.done:
                return []
            self._busy = True
            group, self._waiting = self._waiting, []
            return group

    def _done(self, group: Sequence[_Entry[T]]) -> None:
        with self._changed:
            self._busy = False
            for one in group:
                one.done = True
            self._changed.notify_all()

    def _settle(self, group: Sequence[_Entry[T]]) -> None:
        try:
            refused = self._write([item for entry in group for item in entry.items])
        except StoreUnavailable as error:
            for entry in group:
                entry.error = error
        except HeadraceError as error:
            if len(group) == 1:
                group[0].error = error
                return
            # One of them cannot be written: the others must not suffer for it.
            for entry in group:
                self._settle([entry])
        except BaseException:
            # Ctrl-C meets the thread that writes; the others must not wait for ever.
            for entry in group:
                entry.error = StoreUnavailable("the thread that wrote these marks along was interrupted")
            raise
        else:
            for entry in group:
                entry.refused = [item for item in entry.items if item in refused]
