"""The systems of the queue benchmark and the settings each is run with. Why these settings: decision 0012."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from core.errors import ConfigError

Peer = Literal["pgqueuer", "procrastinate", "oban"]
System = Literal["headrace", "pgqueuer", "procrastinate"]

INSTALL = "pip install 'headrace[bench]'"
OBAN_NEEDS = (3, 12)


@dataclass(frozen=True, slots=True)
class Setup:
    """One system under one set of settings.

    `rows_max` bounds the rows, so that a slow system takes about a quarter of a minute; None: as many as asked for.
    """

    system: System
    name: str
    options: dict[str, Any] = field(hash=False)
    rows_max: int | None = None


def ours(batch_rows: int) -> Setup:
    """Our own side at the asked batch size."""
    return Setup("headrace", "batches", {"batch_rows": batch_rows})


PEERS: dict[Peer, tuple[Setup, ...]] = {
    "pgqueuer": (
        Setup(
            "pgqueuer",
            "best",
            {"autovac": True, "enqueue_rows": 5_000, "run": {"batch_size": 1_000, "log_aggregation_interval_s": 0}},
            rows_max=200_000,
        ),
        Setup("pgqueuer", "defaults", {"autovac": False, "enqueue_rows": 1, "run": {}}, rows_max=20_000),
    ),
    "procrastinate": (
        Setup(
            "procrastinate",
            "concurrency 20",
            {"enqueue_rows": 1_000, "worker": {"concurrency": 20}, "pool": {"max_size": 20}},
            rows_max=3_000,
        ),
        Setup(
            "procrastinate",
            "concurrency 1",
            {"enqueue_rows": 1_000, "worker": {"concurrency": 1}, "pool": {}},
            rows_max=3_000,
        ),
        Setup("procrastinate", "defaults", {"enqueue_rows": 1, "worker": {}, "pool": {}}, rows_max=3_000),
    ),
    "oban": (),
}


def peers(names: Sequence[str]) -> list[Setup]:
    """The set-ups of the named systems.

    Raises ConfigError: no such system, or it cannot be run here; before anything is measured.
    """
    chosen: list[Setup] = []
    for name in names:
        if name not in get_args(Peer):
            raise ConfigError(f"--peers knows {', '.join(get_args(Peer))}, not {name!r}")
        if name == "oban":
            raise ConfigError(_about_oban())
        missing = [needed for needed in (name, "asyncpg") if importlib.util.find_spec(needed) is None]
        if missing:
            raise ConfigError(f"--peers {name} needs {' and '.join(missing)}: {INSTALL}")
        chosen += PEERS[name]  # type: ignore[index]
    return chosen


def _about_oban() -> str:
    here = ".".join(map(str, sys.version_info[:2]))
    needs = ".".join(map(str, OBAN_NEEDS))
    if sys.version_info < OBAN_NEEDS:
        return f"--peers oban cannot be run: oban needs Python >= {needs}, this is {here}"
    return f"--peers oban cannot be run: this benchmark has no driver for oban, which needs Python >= {needs}"


def version(system: System) -> str:
    """Of the installed package."""
    try:
        return importlib.metadata.version(system)
    except importlib.metadata.PackageNotFoundError:
        return ""
