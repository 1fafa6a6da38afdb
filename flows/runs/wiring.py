"""Composition for flows: settings from a block if one is named, else from the environment."""

from __future__ import annotations

from typing import cast

from blocks.postgres import Postgres
from core.metrics.process import usable_cores
from core.settings import Settings, read_settings

RUNNERS = usable_cores()
"""Kernels leave the interpreter lock, so one thread a core; one more batch waits claimed."""


def settings_of(postgres_block: str | None) -> Settings:
    """Read the environment; a named block replaces its database."""
    settings = read_settings()
    if postgres_block is None:
        return settings
    block = cast(Postgres, Postgres.load(postgres_block, _sync=True))  # type: ignore[call-arg]
    return settings.model_copy(update={"database": block.to_settings()})
