"""One bar with an estimate of what is left, on a terminal; nothing where no one looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.jobs.local import OnProgress
from core.jobs.ports import Stage
from core.linkage.stages.needs import SHARES


@contextmanager
def stage_progress() -> Iterator[OnProgress]:
    """Yield the callback that moves the bar."""
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("start", total=sum(SHARES.values()))
        stages = list(SHARES)

        def move(stage: Stage, done: int, total: int) -> None:
            before = sum(SHARES[each] for each in stages[: stages.index(stage)])
            here = SHARES[stage] * (done / total if total else 1.0)
            progress.update(bar, description=stage, completed=before + here)

        yield move


@contextmanager
def rows_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a callback (what, done, total): one bar at a time, each named thing beginning a new one."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bars: dict[str, TaskID] = {}

        def move(what: str, done: int, total: int) -> None:
            if what not in bars:
                for bar in bars.values():
                    progress.update(bar, visible=False)
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done)

        yield move
