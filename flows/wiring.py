"""Composition for flows: settings from a block if one is named, else from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import cast

from blocks.postgres import Postgres
from core.linkage.prepare import describe, identify
from core.linkage.request import MatchRequest
from core.linkage.session import JobSession
from core.runtime import open_runtime
from core.settings import Settings, read_settings
from core.workloads.identity.samples import sampled

RUNNERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Kernels leave the interpreter lock, so one thread a core; one more batch waits claimed."""


def settings_of(postgres_block: str | None) -> Settings:
    """Read the environment; a named block replaces its database."""
    settings = read_settings()
    if postgres_block is None:
        return settings
    block = cast(Postgres, Postgres.load(postgres_block, _sync=True))  # type: ignore[call-arg]
    return settings.model_copy(update={"database": block.to_settings()})


@contextmanager
def open_session(request: MatchRequest, postgres_block: str | None) -> Iterator[JobSession]:
    """Connect, describe the job and join it."""
    with open_runtime(settings_of(postgres_block)) as runtime:
        samples = runtime.settings.state_dir / "samples"
        request = request.model_copy(update={"input": sampled(request.input, samples)})
        key = identify(request)
        poll_s = runtime.settings.queue.poll_s
        with closing(runtime.workspace_of(key)) as workspace:
            description = describe(request, key, workspace)
            yield JobSession(runtime.queue, description, workspace, poll_s=poll_s, threads=RUNNERS)
