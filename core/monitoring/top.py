"""The live view of the queue: readings of cheap sums, and what two of them say about rates. `core.cli.queue` draws."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import StoreError

Q = load("top")
M = load("monitoring")

# Rates are taken over so many seconds: short enough to follow a change, long enough for batches of ten seconds.
WINDOW_S = 30.0
# Below so many seconds between two readings a rate says nothing.
SPAN_MIN_S = 0.05
TAIL_ROWS = 10_000
NEWEST_ATTEMPTS = 2_000
DEAD_MAX = 1_000


@dataclass(frozen=True, slots=True)
class FlowReading:
    """One flow at one moment, in batches and rows; `n_ended` only ever grows."""

    flow_name: str
    ready_batches: int
    ready_rows: int
    running_batches: int
    running_rows: int
    expired_batches: int
    scheduled_rows: int
    paused_rows: int
    retries: int
    inbox: int
    oldest_age_s: float
    paused: bool
    n_ended: int = 0
    dead: int = 0

    @property
    def backlog_rows(self) -> int:
        """Rows that have not ended, whatever keeps them."""
        waiting = self.ready_rows + self.running_rows + self.scheduled_rows + self.paused_rows
        return waiting + self.retries + self.inbox


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One worker: leases as of its last beat, rows a second over the last half minute.

    `host` is empty of a process that takes part in a job and sends no beats of its own: a match, a flow run.
    """

    worker_id: str
    host: str
    n_leases: int
    silent_s: float
    rows_per_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything at one moment. `at_s`: the server's clock, seconds since 1970."""

    at_s: float
    flows: tuple[FlowReading, ...]
    workers: tuple[WorkerFigures, ...]


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """One line of the view. Rates in rows a second, None before a second reading; `eta_s` None where there is no end
    in sight: nothing is done, or more comes in than goes out. `dead` stops at DEAD_MAX + 1."""

    flow: str
    ready_batches: int
    backlog_rows: int
    oldest_age_s: float
    in_per_s: float | None
    out_per_s: float | None
    eta_s: float | None
    running_batches: int
    expired_batches: int
    retries: int
    dead: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What is shown at one moment; `away`: why there is nothing newer."""

    at_s: float
    flows: tuple[FlowFigures, ...]
    workers: tuple[WorkerFigures, ...]
    away: str | None = None


class Window:
    """The readings of the last half minute."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._readings: deque[Reading] = deque()

    def add(self, reading: Reading) -> Frame:
        """Keep a reading and compare it with the oldest one kept. A clock that went back begins anew."""
        if self._readings and reading.at_s < self._readings[-1].at_s:
            self._readings.clear()
        self._readings.append(reading)
        while len(self._readings) > 2 and self._readings[1].at_s <= reading.at_s - self._window_s:
            self._readings.popleft()
        return figures(self._readings[0], reading)


def figures(before: Reading, now: Reading) -> Frame:
    """What `now` shows, with rates since `before`; pure."""
    span_s = now.at_s - before.at_s
    old = {flow.flow_name: flow for flow in before.flows}
    lines = tuple(_figures(old.get(flow.flow_name), flow, span_s) for flow in now.flows)
    return Frame(now.at_s, lines, now.workers)


def _figures(before: FlowReading | None, now: FlowReading, span_s: float) -> FlowFigures:
    in_per_s = out_per_s = None
    if before is not None and span_s >= SPAN_MIN_S:
        # A counter that fell (a new hour with no totals, a restored database) says nothing about this span.
        n_out = max(0, now.n_ended - before.n_ended)
        # What came in is what went out and what piled up; cancelled rows make it less, never less than none.
        n_in = max(0, n_out + now.backlog_rows - before.backlog_rows)
        in_per_s, out_per_s = n_in / span_s, n_out / span_s
    return FlowFigures(
        flow=now.flow_name,
        ready_batches=now.ready_batches,
        backlog_rows=now.backlog_rows,
        oldest_age_s=now.oldest_age_s,
        in_per_s=in_per_s,
        out_per_s=out_per_s,
        eta_s=eta_s(now.backlog_rows, in_per_s, out_per_s),
        running_batches=now.running_batches,
        expired_batches=now.expired_batches,
        retries=now.retries,
        dead=now.dead,
        paused=now.paused,
    )


def eta_s(backlog_rows: int, in_per_s: float | None, out_per_s: float | None) -> float | None:
    """Seconds until the backlog is gone if both rates stay; 0 for none; None where there is no end in sight."""
    if backlog_rows == 0:
        return 0.0
    if in_per_s is None or out_per_s is None or out_per_s <= in_per_s:
        return None
    return backlog_rows / (out_per_s - in_per_s)


class Reader:
    """Reads the sums; remembers only the hour it began in."""

    def __init__(self, db: DatabaseManager) -> None:
        self._db = db
        self._since: datetime | None = None

    def read(self) -> Reading:
        """One transaction. Cost: a few milliseconds; without a leader the depth is computed (50 ms at 100,000 headers).

        Raises StoreError.
        """
        with self._db.transaction() as conn:
            at_s, hour = run(conn, Q["top_clock"])[0]
            self._since = self._since or hour
            ended = run(conn, Q["top_ended"], {"since": self._since, "limit": TAIL_ROWS})
            n_ended = {name: int(n_ok + n_dead) for name, n_ok, n_dead in ended}
            dead = {name: int(n_dead) for name, n_dead in run(conn, Q["top_dead"], {"limit": DEAD_MAX + 1})}
            flows = tuple(
                replace(FlowReading(*row), n_ended=n_ended.get(row[0], 0), dead=dead.get(row[0], 0))
                for row in run(conn, Q["top_flows"])
            )
            newest = run(conn, Q["top_finished"], {"window_s": WINDOW_S, "limit": NEWEST_ATTEMPTS})
            rates = {name: n_rows / span_s if span_s else 0.0 for name, n_rows, span_s in newest}
            workers = tuple(
                WorkerFigures(name, host, n_leases, float(silent_s), rates.get(name, 0.0))
                for name, host, _, n_leases, _, silent_s in run(conn, M["live_workers"])
            )
            held = {name: int(n_leases) for name, n_leases in run(conn, Q["top_holders"])}
        return Reading(at_s, flows, workers + _without_beat(workers, held, rates))


def _without_beat(
    beating: Sequence[WorkerFigures], held: Mapping[str, int], rates: Mapping[str, float]
) -> tuple[WorkerFigures, ...]:
    """Processes that hold batches, or ended some lately, and beat by their leases alone: matches and flow runs."""
    known = {worker.worker_id for worker in beating}
    return tuple(
        WorkerFigures(name, "", held.get(name, 0), 0.0, rates.get(name, 0.0))
        for name in sorted({*held, *rates} - known)
    )


def watch(read: Callable[[], Reading], show: Callable[[Frame], None], wait: Callable[[], bool], *, once: bool) -> None:
    """Read, show, wait, until `wait` returns True. While the database is away the last frame is shown with the reason.

    `once`: two readings with one wait between, so that there are rates, and one frame.
    Raises StoreError: the first reading failed; with `once` also the second.
    """
    window = Window()
    last = window.add(read())
    if once:
        wait()
        show(window.add(read()))
        return
    show(last)
    while not wait():
        try:
            last = window.add(read())
        except StoreError as error:
            last = Frame(last.at_s, last.flows, last.workers, away=error.message)
        show(last)


def shown_age(seconds: float) -> str:
    """An age as people read it, coarser the greater, so that it does not change each second: 7s, 5m, 3h, 2d."""
    for size_s, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * size_s:
            return f"{int(seconds // size_s)}{unit}"
    return f"{int(seconds)}s"


def shown_count(value: float) -> str:
    """A count in at most five characters: 999, 1.2k, 45k, 3.4M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            amount = value / size
            return f"{amount:.1f}{unit}" if amount < 10 else f"{amount:.0f}{unit}"
    return f"{value:.0f}"


def cells(line: FlowFigures) -> Sequence[str]:
    """What the view shows of a flow, in the order of HEADS."""
    return (
        line.flow,
        "paused" if line.paused else "late" if line.expired_batches else "busy" if line.running_batches else "",
        shown_count(line.ready_batches),
        shown_count(line.backlog_rows),
        shown_age(line.oldest_age_s) if line.oldest_age_s else "",
        "" if line.in_per_s is None else shown_count(line.in_per_s),
        "" if line.out_per_s is None else shown_count(line.out_per_s),
        "" if not line.backlog_rows else "-" if line.eta_s is None or line.paused else shown_age(line.eta_s),
        shown_count(line.running_batches),
        shown_count(line.retries),
        shown_count(line.dead) if line.dead <= DEAD_MAX else f"{shown_count(DEAD_MAX)}+",
    )


HEADS = ("flow", "state", "ready", "rows", "oldest", "in/s", "out/s", "eta", "runs", "retry", "dead")


def worker_cells(line: WorkerFigures) -> Sequence[str]:
    """What the view shows of a worker, in the order of WORKER_HEADS."""
    beat = "" if line.silent_s < 15 else shown_age(line.silent_s)
    return (line.worker_id, line.host, shown_count(line.n_leases), shown_count(line.rows_per_s), beat)


WORKER_HEADS = ("worker", "host", "leases", "rows/s", "silent")
