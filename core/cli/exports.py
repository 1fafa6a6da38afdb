"""Where the outputs of the queue's jobs are written when a command needs them as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.queue import BatchQueue


@contextmanager
def exports() -> Iterator[tuple[BatchQueue, Path]]:
    """The configured queue, and a folder below the state folder."""
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        yield runtime.queue, runtime.settings.state_dir / "exports"
