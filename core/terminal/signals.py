"""Being told to end: SIGTERM and Ctrl-C mean to finish."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_to_end(stop: Callable[[], object]) -> Iterator[None]:
    """Inside the block both call `stop`; afterwards they mean what they meant before. Only in the main thread."""
    before = [signal.signal(number, lambda *_: stop()) for number in ENDS]
    try:
        yield
    finally:
        for number, handler in zip(ENDS, before, strict=True):
            signal.signal(number, handler)
