"""What comes in: batches over time, made up from a seed or read from a file."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError, InputError

# Batches differ: the standard deviation of their work, as a share of the mean.
SPREAD = 0.2
POISON_SHARE = 0.05
ATTEMPTS_POISON = 3
ROWS_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Comes at `at_s`, takes `work_s` an attempt, and needs so many `attempts` until it is done or given up."""

    at_s: float
    work_s: float
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What every rule lives under: consumers at most, seconds from the order of one to its first batch."""

    max_consumers: int = 10
    startup_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a made-up load: work of a mean batch, and of a burst for each consumer there may be."""

    batch_s: float = 3.0
    burst_s: float = 160.0


def load(name: str, shape: Shape, limits: Limits, rng: random.Random) -> list[Batch]:
    """The named scenario in order of time, or the file of that name. Raises ConfigError, InputError."""
    made = SCENARIOS.get(name)
    if made is not None:
        return sorted(made(shape, limits, rng), key=lambda batch: batch.at_s)
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"there is no scenario and no file {name!r}; scenarios are {', '.join(SCENARIOS)}")
    return read(path)


def read(path: Path) -> list[Batch]:
    """A recorded load: CSV with the columns at_s, work_s and, if there, attempts. Raises InputError with the line."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = {"at_s", "work_s"} - set(rows.fieldnames or ())
        if missing:
            raise InputError(f"{path} has no column {', '.join(sorted(missing))}; a load has at_s, work_s and attempts")
        batches = [_parsed(row, path, rows.line_num) for row in rows]
    if not 1 <= len(batches) <= ROWS_MOST:
        raise InputError(f"{path} holds {len(batches):,} batches; it must hold 1 to {ROWS_MOST:,}")
    first = min(batch.at_s for batch in batches)
    return sorted((Batch(b.at_s - first, b.work_s, b.attempts) for b in batches), key=lambda batch: batch.at_s)


def _parsed(row: dict[str, str], path: Path, line: int) -> Batch:
    try:
        batch = Batch(float(row["at_s"]), float(row["work_s"]), int(row.get("attempts") or 1))
    except (TypeError, ValueError):
        raise InputError(f"{path}, line {line}: at_s and work_s must be numbers of seconds, attempts whole") from None
    if not (math.isfinite(batch.at_s) and 0 < batch.work_s < math.inf and batch.attempts >= 1):
        raise InputError(f"{path}, line {line}: at_s must be finite, work_s above 0, attempts at least 1")
    return batch


def burst(shape: Shape, limits: Limits, rng: random.Random) -> Iterator[Batch]:
    """Everything at once: so much work for each consumer there may be."""
    for _ in range(math.ceil(limits.max_consumers * shape.burst_s / shape.batch_s)):
        yield Batch(0.0, _work(shape, rng))


def poison(shape: Shape, limits: Limits, rng: random.Random) -> Iterator[Batch]:
    """A burst of which one batch in twenty fails three times and is given up."""
    for batch in burst(shape, limits, rng):
        yield Batch(batch.at_s, batch.work_s, ATTEMPTS_POISON if rng.random() < POISON_SHARE else 1)


def step(shape: Shape, limits: Limits, rng: random.Random) -> Iterator[Batch]:
    """Five minutes at a tenth of what all consumers can do, ten at seven tenths, five at a tenth."""
    return _poisson(lambda at_s: 0.7 if 300 <= at_s < 900 else 0.1, 1_200, shape, limits, rng)


def ramp(shape: Shape, limits: Limits, rng: random.Random) -> Iterator[Batch]:
    """Twenty minutes up to nine tenths, ten minutes down."""
    return _poisson(lambda at_s: 0.9 * min(at_s / 1_200, (1_800 - at_s) / 600), 1_800, shape, limits, rng)


def diurnal(shape: Shape, limits: Limits, rng: random.Random) -> Iterator[Batch]:
    """A day in four hours, between nothing and eight tenths."""
    return _poisson(lambda at_s: 0.4 - 0.4 * math.cos(2 * math.pi * at_s / 14_400), 14_400, shape, limits, rng)


SCENARIOS: dict[str, Callable[[Shape, Limits, random.Random], Iterator[Batch]]] = {
    "burst": burst,
    "step": step,
    "ramp": ramp,
    "diurnal": diurnal,
    "poison": poison,
}


def _poisson(
    share: Callable[[float], float], until_s: float, shape: Shape, limits: Limits, rng: random.Random
) -> Iterator[Batch]:
    """Arrivals whose rate is a share of what all consumers can do; thinned from the full rate."""
    full = limits.max_consumers / shape.batch_s
    at_s = rng.expovariate(full)
    while at_s < until_s:
        if rng.random() < share(at_s):
            yield Batch(at_s, _work(shape, rng))
        at_s += rng.expovariate(full)


def _work(shape: Shape, rng: random.Random) -> float:
    return shape.batch_s * rng.gammavariate(1 / SPREAD**2, SPREAD**2)
