"""A checked spec carried out over rows in memory, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import polars as pl

from core.pipelines.compiling.barriers import barrier
from core.pipelines.compiling.held import CheckResult, DeadRows, Held, Log
from core.pipelines.compiling.rows import row_step
from core.pipelines.flow.checking import Checked, path_of_step
from core.pipelines.language import spec
from core.pipelines.types import ColumnType

Matcher: TypeAlias = Callable[[spec.Match, pl.DataFrame, pl.DataFrame | None], pl.DataFrame]
"""Carries out a match step: the step, the rows before it, those of `with` -> the columns that the check foretold."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run makes.

    rows: what goes to the sink, in storage types. before: the rows that each step was given. dead: rows that left, by
    reason. checks: every rule that was looked at.
    """

    rows: pl.DataFrame
    before: tuple[int, ...]
    dead: tuple[DeadRows, ...]
    checks: tuple[CheckResult, ...]


def run_steps(
    checked: Checked, sources: Mapping[str, pl.DataFrame], run_time: datetime, match: Matcher | None = None
) -> Outcome:
    """Carry the steps of a spec out.

    sources: for each source of the spec its rows, with the columns and storage types of `checked.sources`.
    run_time: what `run_time()` gives, in UTC without a zone.

    Raises StoppedRun: a step ends the run.
    """
    held = {name: Held(sources[name].select(list(types)), types) for name, types in checked.sources.items()}
    now, log, before = next(iter(held.values())), Log(run_time), []
    for number, (step, types) in enumerate(zip(checked.spec.steps, checked.steps, strict=True)):
        now = held[step.from_] if step.from_ is not None else now
        before.append(now.frame.height)
        if isinstance(step, spec.Match) and match is not None:
            now = _matched(step, now, held, types, match)
        else:
            path = path_of_step(number, step)
            after = row_step(step, now, types, path, log)
            now = after if after is not None else barrier(step, now, held, types, path, log)
        if step.as_ is not None:
            held[step.as_] = now
    return Outcome(now.frame.select(list(checked.rows)), tuple(before), tuple(log.dead), tuple(log.checks))


def _matched(
    step: spec.Match, now: Held, held: Mapping[str, Held], types: Mapping[str, ColumnType], match: Matcher
) -> Held:
    other = held[step.with_].frame if step.with_ is not None else None
    return Held(match(step, now.frame, other).select(list(types)), types)
