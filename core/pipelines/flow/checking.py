"""A whole spec against a catalog: what it would do, or everything that it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cronsim import CronSim, CronSimError

from core.pipelines.catalog import Catalog
from core.pipelines.flow.frame import Frame, Origin, Report
from core.pipelines.flow.sinks import fit
from core.pipelines.flow.sources import frame_of, is_zone
from core.pipelines.flow.steps import Place, after
from core.pipelines.language.spec import PipelineSpec, Schedule, Step, seconds_of
from core.pipelines.refusals import PipelineRefused, Refusal, instead
from core.pipelines.types import ColumnType

LEAST_EVERY_S: Final = 60
"""Seconds between two runs by a schedule, at least."""

_SECRET: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@|\b(?:password|passwd|pwd|secret|api_?key|access_?token|token)\s*[=:]\s*\S"
    r"|\bbearer\s+\S{8}|-----BEGIN|\bAKIA[0-9A-Z]{16}\b",
    re.IGNORECASE,
)
_SECRET_NAME: Final = re.compile(r"(?:^|_)(?:password|passwd|pwd|secret|token|api_?key|apikey)(?:$|_)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Checked:
    """A spec that can be carried out.

    sources: the columns of each. steps: those after each step. rows: those that reach the sink.
    origins: of those that are a source's own values, unchanged, which source and column.
    """

    spec: PipelineSpec
    sources: Mapping[str, Mapping[str, ColumnType]]
    steps: tuple[Mapping[str, ColumnType], ...]
    rows: Mapping[str, ColumnType]
    origins: Mapping[str, Origin]


def check(spec: PipelineSpec, catalog: Catalog) -> Checked:
    """Follow columns and types through a spec.

    Raises PipelineRefused: what cannot be, all of it, in the order of the spec.
    Cost: some 0.3 ms a step.
    """
    report = Report()
    _secrets(spec, report)
    frames = {name: frame_of(name, source, catalog, report) for name, source in spec.sources.items()}
    sources = {name: frame.columns for name, frame in frames.items()}
    frame, after_each = _followed(spec, frames, report)
    _unused(spec, report)
    fit(spec, frame, catalog, report)
    if spec.schedule is not None:
        _schedule(spec, spec.schedule, catalog, report)
    if report.refusals:
        raise PipelineRefused(_in_order(report.refusals))
    return Checked(spec, sources, tuple(after_each), frame.columns, frame.origins)


def path_of_step(number: int, step: Step) -> str:
    """How a sentence names a step: `steps.2 derive`; of what stands in it `steps.2 derive.total`."""
    return f"steps.{number} {step.do}"


def _followed(
    spec: PipelineSpec, frames: dict[str, Frame], report: Report
) -> tuple[Frame, list[Mapping[str, ColumnType]]]:
    frame = next(iter(frames.values()))
    after_each = []
    for number, step in enumerate(spec.steps):
        at = Place(path_of_step(number, step), frames, report)
        if step.from_ is not None:
            frame = at.other(step.from_, "from")
        frame = after(step, frame, at)
        after_each.append(frame.columns)
        if step.as_ is not None:
            if step.as_ in frames:
                report.refuse(f"{at.path}.as", f"{step.as_} is a name already; say another")
            frames = at_frames(frames, step.as_, frame)
    return frame, after_each


def at_frames(frames: dict[str, Frame], name: str, frame: Frame) -> dict[str, Frame]:
    """The frames that a later step may name, with one more."""
    return {**frames, name: frame}


def _unused(spec: PipelineSpec, report: Report) -> None:
    first = next(iter(spec.sources))
    used = {first} if not spec.steps or spec.steps[0].from_ is None else set()
    for step in spec.steps:
        names: str | list[str] = getattr(step, "with_", None) or []
        used |= {names} if isinstance(names, str) else set(names)
        used |= {step.from_} if step.from_ is not None else set()
    for name in spec.sources:
        if name not in used:
            report.refuse(f"sources.{name}", f"source {name} is never used; drop it, or join or union it")


def _schedule(spec: PipelineSpec, schedule: Schedule, catalog: Catalog, report: Report) -> None:
    said = [word for word in ("cron", "every", "after") if getattr(schedule, word) is not None]
    if len(said) != 1:
        report.refuse("schedule", f"say one of cron, every and after{', not ' + ' and '.join(said) if said else ''}")
    if schedule.timezone is not None and schedule.cron is None:
        report.refuse("schedule.timezone", "a time zone goes with cron alone")
    elif schedule.timezone is not None and not is_zone(schedule.timezone):
        report.refuse("schedule.timezone", f"there is no time zone {schedule.timezone[:40]}; Europe/Berlin is one")
    if schedule.cron is not None and not _is_cron(schedule.cron):
        report.refuse("schedule.cron", f"{schedule.cron[:60]} is no cron line of five fields, as 0 6 * * 1-5")
    if schedule.every is not None and seconds_of(schedule.every) < LEAST_EVERY_S:
        report.refuse("schedule.every", f"every {schedule.every} is below the least of {LEAST_EVERY_S} s")
    for name in schedule.after or ():
        if name == spec.pipeline:
            report.refuse("schedule.after", f"{name} cannot wait for itself")
        elif name not in catalog.pipelines:
            report.refuse("schedule.after", f"there is no pipeline {name}{instead(name, catalog.pipelines)}")


def _is_cron(line: str) -> bool:
    if len(line.split()) != 5:
        return False
    try:
        from datetime import UTC, datetime

        CronSim(line, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


def _secrets(spec: PipelineSpec, report: Report) -> None:
    for path, key, value in _texts(spec.model_dump(by_alias=True, exclude_none=True), "", ""):
        named = bool(_SECRET_NAME.search(key)) and ".params." in f"{path}."
        if isinstance(value, str) and (named or _SECRET.search(value)):
            report.refuse(path, "holds what looks like a password; name a block")


def _texts(value: Any, path: str, key: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else str(name), str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}", key)
    else:
        yield path, key, value


def _in_order(refusals: list[Refusal]) -> list[Refusal]:
    """Sources first, then the steps by their numbers, then sink and schedule."""
    parts = ("sources", "steps", "sink", "schedule", "run")

    def turn(one: Refusal) -> tuple[int, int]:
        part, _, rest = one.path.partition(".")
        number = re.match(r"\d+", rest)
        return parts.index(part) if part in parts else len(parts), int(number[0]) if number and part == "steps" else 0

    return sorted(refusals, key=turn)
