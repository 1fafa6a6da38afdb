"""`headrace queue top`: the live view of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from core.monitoring.top import Frame

# More workers than fit on a screen are summed up in one line.
WORKERS_SHOWN = 20


def top(
    interval: Annotated[
        float, typer.Option("--interval", min=0.05, max=3_600, help="Seconds between two readings.")
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Show one frame, after two readings, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each reading.")] = False,
) -> None:
    """Live: depth, age, rates, ETA, retries and dead letters per flow; leases and rows/s per worker. Ctrl-C ends it.

    Nothing is sent to the terminal while nothing changes. Rates are over the last half minute, in rows a second; `eta`
    holds if both rates stay, `-` means no end in sight. Depth may lag two seconds behind.

    Example: headrace queue top --interval 5
    """
    import signal
    import threading
    from contextlib import suppress

    from core.monitoring.top import Reader, watch
    from core.runtime import open_runtime
    from core.settings import read_settings

    settings = read_settings()
    # Whoever looks wants to be told that the database is away, not to wait for it in silence.
    settings = settings.model_copy(update={"database": settings.database.replaced(connect_retry_s=0)})
    ended = threading.Event()

    def end(*_: object) -> None:
        # An exception could come up where it is thrown away, in a destructor say; the second Ctrl-C is one.
        ended.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, end)
    with suppress(KeyboardInterrupt), open_runtime(settings) as runtime, _screen(as_json=as_json, once=once) as show:
        watch(Reader(runtime.db).read, show, lambda: ended.wait(interval), once=once)


def _screen(*, as_json: bool, once: bool) -> AbstractContextManager[Callable[[Frame], None]]:
    from rich.console import Console

    if as_json:
        return _json_lines()
    console = Console()
    return _live(console) if console.is_terminal and not once else _plain(console)


def _json_lines() -> AbstractContextManager[Callable[[Frame], None]]:
    import json
    from contextlib import nullcontext
    from dataclasses import asdict

    return nullcontext(lambda frame: print(json.dumps(asdict(frame)), flush=True))


def _plain(console: object) -> AbstractContextManager[Callable[[Frame], None]]:
    """Where there is no terminal to draw on: a frame below the other, each time something has changed."""
    from contextlib import nullcontext
    from datetime import datetime

    from core.monitoring.top import HEADS, WORKER_HEADS

    last: list[object] = []

    def show(frame: Frame) -> None:
        flows, workers, away = drawn(frame)
        if last == [flows, workers, away]:
            return
        last[:] = [flows, workers, away]
        print(datetime.fromtimestamp(frame.at_s).astimezone().strftime("%H:%M:%S"), away or "", flush=True)
        for heads, lines in ((HEADS, flows), (WORKER_HEADS, workers)):
            print("\n".join(_fitted(heads, lines)), flush=True)

    return nullcontext(show)


def _live(console: object) -> AbstractContextManager[Callable[[Frame], None]]:
    """Drawn in place, a small frame at a time and only when it differs from the last."""
    from contextlib import contextmanager
    from typing import cast

    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from core.monitoring.top import HEADS, WORKER_HEADS

    def table(heads: tuple[str, ...], lines: list[list[str]]) -> Text:
        head, *body = _fitted(heads, lines)
        drawn = Text(head + "\n", "dim")
        drawn.append("\n".join(body), "not dim")
        drawn.highlight_words(["paused", "late"], "red")
        return drawn

    @contextmanager
    def drawing() -> Iterator[Callable[[Frame], None]]:
        last: list[object] = []
        with Live(console=cast(Console, console), auto_refresh=False) as live:

            def show(frame: Frame) -> None:
                flows, workers, away = drawn(frame)
                if last == [flows, workers, away]:
                    return
                last[:] = [flows, workers, away]
                said = Text(away or "", "red")
                live.update(Group(said, table(HEADS, flows), Text(""), table(WORKER_HEADS, workers)), refresh=True)

            yield show

    return drawing()


def drawn(frame: Frame) -> tuple[list[list[str]], list[list[str]], str | None]:
    """Cells of the flows and of the workers, and what is wrong; equal frames draw nothing."""
    from core.monitoring.top import cells, shown_count, worker_cells

    workers = [list(worker_cells(worker)) for worker in frame.workers[:WORKERS_SHOWN]]
    if rest := frame.workers[WORKERS_SHOWN:]:
        leases, rate = sum(one.n_leases for one in rest), sum(one.rows_per_s for one in rest)
        workers.append([f"and {len(rest)} more", "", shown_count(leases), shown_count(rate), ""])
    if not workers:
        workers = [["no process works on a batch", "", "", "", ""]]
    flows = [list(cells(line)) for line in frame.flows] or [["no flow is registered", *[""] * 10]]
    away = None if frame.away is None else f"the database is away, these figures are old: {frame.away}"
    return flows, workers, away


def _fitted(heads: tuple[str, ...], lines: list[list[str]]) -> list[str]:
    """The lines of a table; the first two columns are words, the others figures."""
    from core.terminal.tables import screen_width, table_lines

    rows = [dict(zip(heads, line, strict=True)) for line in lines]
    return table_lines(rows, screen_width(), gap=1, figures=heads[2:])
