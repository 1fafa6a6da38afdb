"""The ports of a job: whoever hands out its batches, and where its answer goes.

Two sources of batches exist: `queue_source.QueueSource` (the PostgreSQL queue) and `local_source.LocalManifest` (a
folder).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Stage = str
"""Name of a stage in the table of its kind of job."""

Output = dict[str, Any]
Sink = Callable[[Any], None]
"""Writes rows on the connection that acknowledges the batch; a source without a database ignores it."""


@dataclass(frozen=True, slots=True)
class StageBatch:
    """One claimed unit of work.

    `tag` is unique to this attempt: files are written under it, so a zombie never overwrites its successor's.
    """

    stage: Stage
    partition: int
    n_items: int
    tag: str
    handle: Any = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Batches of one stage: `done + live + dead <= total`, `live` counts waiting retries too."""

    total: int
    done: int
    live: int
    dead: int

    @property
    def drained(self) -> bool:
        """Nothing of the stage is left to do, whoever owned it."""
        return self.live == 0 and self.done + self.dead >= self.total


class Outputs(Protocol):
    """What the stages of a job read of each other. `publishes`: whether what they settle is written to a database."""

    @property
    def publishes(self) -> bool:
        """Whether sinks write what the last stages settled to a database."""
        ...

    def outputs(self, stage: Stage) -> list[Output]:
        """Outputs of the completed batches, by partition."""
        ...


class Publication(Protocol):
    """Where the answer of a job of the queue goes, and what it takes from there before."""

    def make_ready(self, stage: Stage) -> None:
        """What the database has to give or to hold before the batches of a stage can run; again changes nothing."""
        ...

    def sink_of(self, batch: StageBatch, output: Output) -> Sink | None:
        """Make what writes a batch's rows; None for stages that write none."""
        ...

    def publish(self) -> None:
        """Finish the job, whose stages are drained, and make its answer the one that counts; again changes nothing."""
        ...


class BatchSource(Outputs, Protocol):
    """Hands out the batches of one job and remembers what they found."""

    def open_stage(self, stage: Stage, sizes: Sequence[int]) -> None:
        """Announce one batch per size (items); a second call for the same stage changes nothing."""
        ...

    def claim(self, stage: Stage, limit: int) -> list[StageBatch]:
        """Take up to `limit` batches; empty when none is free now."""
        ...

    def complete(self, batch: StageBatch, output: Output, sink: Sink | None = None) -> None:
        """Acknowledge a batch together with its output (JSON) and its sink's rows.

        Raises:
            LeaseLost: another worker owns the batch; nothing was kept.
        """
        ...

    def fail(self, batch: StageBatch, error_class: str, reason: str, *, retryable: bool) -> None:
        """Give up this attempt."""
        ...

    def release(self, batches: Sequence[StageBatch]) -> None:
        """Hand batches back untouched; no attempt is burnt."""
        ...

    def progress(self, stage: Stage) -> Progress:
        """Count the stage's batches."""
        ...

    def close(self) -> None:
        """Stop heartbeats and let go of files."""
        ...
