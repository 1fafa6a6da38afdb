"""Batches of one job kept in a folder: no database, one process, any number of threads.

`manifest/<stage>/open.json` announces the batches, `<partition>.json` acknowledges one by an atomic rename. An
interrupted job goes on where it stopped, because acknowledged batches are never handed out again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

import orjson

from core.jobs.ports import Output, Progress, Sink, Stage, StageBatch


class LocalManifest:
    """The `BatchSource` of a job done in one process."""

    publishes = False

    def __init__(self, root: Path) -> None:
        self._root = root / "manifest"
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._sizes: dict[Stage, list[int]] = {}
        self._claimed: dict[Stage, set[int]] = {}
        self._dead: dict[Stage, set[int]] = {}

    def open_stage(self, stage: Stage, sizes: Sequence[int]) -> None:
        """Announce the batches; what an earlier run announced stands."""
        with self._lock:
            if stage in self._sizes:
                return
            path = self._root / stage / "open.json"
            if path.exists():
                self._sizes[stage] = orjson.loads(path.read_bytes())
            else:
                self._sizes[stage] = list(sizes)
                self._write(path, self._sizes[stage])
            self._claimed[stage] = self._done(stage)
            self._dead[stage] = set()

    def claim(self, stage: Stage, limit: int) -> list[StageBatch]:
        """Take the next free batches in order."""
        with self._lock:
            sizes, claimed = self._sizes[stage], self._claimed[stage]
            free = [p for p in range(len(sizes)) if p not in claimed][:limit]
            claimed.update(free)
        return [StageBatch(stage, p, sizes[p], uuid.uuid4().hex[:8]) for p in free]

    def complete(self, batch: StageBatch, output: Output, sink: Sink | None = None) -> None:
        """Acknowledge by renaming a finished file into place; there is no database for a sink to write to."""
        self._write(self._root / batch.stage / f"{batch.partition:05d}.json", output)

    def fail(self, batch: StageBatch, error_class: str, reason: str, *, retryable: bool) -> None:
        """Mark the batch dead for this run: a local error is shown to the person at once, not retried."""
        with self._lock:
            self._dead[batch.stage].add(batch.partition)

    def release(self, batches: Sequence[StageBatch]) -> None:
        """Make the batches free again."""
        with self._lock:
            for batch in batches:
                self._claimed[batch.stage].discard(batch.partition)

    def progress(self, stage: Stage) -> Progress:
        """Count files."""
        with self._lock:
            total, done, dead = len(self._sizes[stage]), len(self._done(stage)), len(self._dead[stage])
        return Progress(total, done, total - done - dead, dead)

    def outputs(self, stage: Stage) -> list[Output]:
        """Read the acknowledgements in order."""
        return [orjson.loads((self._root / stage / f"{p:05d}.json").read_bytes()) for p in sorted(self._done(stage))]

    def close(self) -> None:
        """Nothing to let go of."""

    def _done(self, stage: Stage) -> set[int]:
        return {int(path.stem) for path in (self._root / stage).glob("[0-9]*.json")}

    def _write(self, path: Path, value: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(orjson.dumps(value))
        part.replace(path)
