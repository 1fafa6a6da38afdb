"""The parent of worker processes: starts them, watches them, ends what a dead one had claimed, and lets them finish.

Workers are started afresh, never forked: a fork copies locks that threads of the parent hold.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import BinaryIO

from core.errors import ConfigError
from core.metrics.process import held_bytes
from core.processes import python
from core.queue.batches import WorkerProfile
from core.queue.consumers import offspring, standing
from core.queue.consumers.consumer import Options
from core.queue.consumers.deaths.memory_guard import MemoryGuard
from core.queue.consumers.deaths.mourning import Dead, Mourning
from core.queue.consumers.orders import Orders
from core.queue.consumers.status_board import SIZE, Board, Shown
from core.queue.leases.dead_workers import bury
from core.queue.leases.failures import Failure
from core.queue.queue import BatchQueue
from core.settings import PREFIX, LogSettings

log = logging.getLogger(__name__)

TICK_S = 0.1
SAY_EVERY_S = 1.0
# After its grace a worker gives its batch back itself; one that cannot is killed so much later.
KILL_AFTER_S = 5.0
# What workers held is given back within so long at the end, or is left to run out: the database may be away.
MOURNED_WITHIN_S = 3.0
RESTART_BASE_S, RESTART_MAX_S = 0.05, 2.0
# Workers that die before they are ready, in a row: the reason is not a batch.
FALSE_STARTS_MAX = 5
# The worker writes where it stands at the limit itself, however hard it hangs.
DUMP_S = 1.0
# The leader's rescue would take the batch of a hanging worker at its deadline, and would not know why.
AHEAD_S = 0.5

# A claim is answered within milliseconds; this is a few polls.
UNANSWERED_S = 5.0

STOPPED = Failure("Stopped", "it did not end within its grace")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: `processes` workers, and of each flow its handler (module:function).

    `grace_s`: what a running batch gets to finish in when the end is near. `memory_mb`: held memory above which a
    worker is killed. `options`: when each worker ends by itself.
    """

    handlers: dict[str, str]
    processes: int = 1
    options: Options = field(default_factory=Options)
    grace_s: float = 30.0
    memory_mb: int | None = None
    profile: WorkerProfile = field(default_factory=WorkerProfile)
    log: LogSettings = field(default_factory=LogSettings)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of all workers so far, dead ones too; `workers` are alive now, `ready` of them have begun to claim.

    `unanswered_s`: for so long all of those have asked the database in vain; 0: one of them has not.
    """

    workers: int = 0
    batches: int = 0
    rows: int = 0
    rows_failed: int = 0
    deaths: int = 0
    exit_code: int = 0
    ready: int = 0
    unanswered_s: float = 0.0

    def with_work(self, done: Shown | Figures) -> Figures:
        """These figures with the work of one more worker, or of other workers, in them."""
        return replace(
            self,
            batches=self.batches + done.batches,
            rows=self.rows + done.rows,
            rows_failed=self.rows_failed + done.rows_failed,
        )

    def since(self, past: Figures) -> Figures:
        """These figures, of the workers there are now, after what workers before them did."""
        return replace(self.with_work(past), deaths=self.deaths + past.deaths)


@dataclass(slots=True, eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    worker_id: str
    file: BinaryIO
    board: Board
    load_by: float
    memory: MemoryGuard | None = None
    # Why we killed it, if we did.
    failure: Failure | None = None


@dataclass(slots=True, eq=False)
class _Slot:
    number: int
    child: _Child | None = None
    start_at: float = 0.0
    n_restarts: int = 0
    done: bool = False


class Supervisor:
    """Runs a plan in the calling thread until all workers have ended or `stop` was called.

    Args:
        queue: of this process; it claims nothing.
        say: gets the figures about once a second.
    """

    def __init__(self, queue: BatchQueue, plan: Plan, say: Callable[[Figures], None] | None = None) -> None:
        if plan.processes < 1:
            raise ConfigError(f"processes is {plan.processes}, it must be at least 1")
        self._queue = queue
        self._plan = plan
        self._say = say
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(self._tell, False)
        weakref.finalize(self, _close_both, self._told, self._tell)
        self._stopped_at: float | None = None
        self._slots = [_Slot(number) for number in range(plan.processes)]
        self._mourning = Mourning(self._bury)
        self._past = Figures()
        self._false_starts = 0

    def stop(self) -> None:
        """Let the workers finish their batches within the grace, then end. Safe in a signal handler."""
        try:
            os.write(self._tell, b"!")
        except BlockingIOError:
            return

    def pids(self) -> list[int]:
        """Of the workers alive now."""
        return [slot.child.process.pid for slot in self._slots if slot.child is not None]

    def run(self) -> Figures:
        """Raises nothing of a worker's: figures hold exit code 2 if the handler cannot be loaded, 1 if workers do not
        start, 75 if they cannot reach the database."""
        say_at = time.monotonic()
        try:
            while not all(slot.done and slot.child is None for slot in self._slots):
                for slot in self._slots:
                    self._look(slot)
                if self._say is not None and time.monotonic() >= say_at:
                    say_at = time.monotonic() + SAY_EVERY_S
                    self._say(self.figures())
                self._pause()
        finally:
            self._end_all()
        return self.figures()

    def figures(self) -> Figures:
        """So far."""
        now = time.monotonic()
        figures, shown = self._past, [slot.child.board.look() for slot in self._slots if slot.child is not None]
        for look in shown:
            figures = figures.with_work(look)
        unanswered_s = [now - (look.asks_since or now) for look in shown if look.ready]
        return replace(
            figures, workers=len(shown), ready=len(unanswered_s), unanswered_s=min(unanswered_s, default=0.0)
        )

    def _pause(self) -> None:
        if select.select([self._told], [], [], TICK_S)[0]:
            os.read(self._told, 4096)
            self._finish()

    def _finish(self) -> None:
        """Nobody starts any more; the end of its lifeline tells a worker."""
        if self._stopped_at is not None:
            return
        self._stopped_at = time.monotonic()
        for slot in self._slots:
            slot.done = True
            if slot.child is not None and slot.child.process.stdin is not None:
                slot.child.process.stdin.close()
                # One that has not begun has nothing to finish, and would first load its handler. Once it has, the
                # signal means what the end of its lifeline means.
                if not slot.child.board.look().ready:
                    slot.child.process.terminate()

    def _look(self, slot: _Slot) -> None:
        child = slot.child
        if child is None:
            if not slot.done and time.monotonic() >= slot.start_at:
                slot.child = self._start(slot.number)
            return
        code = offspring.exit_code(child.process)
        if code is not None:
            self._ended(slot, child, code)
        elif child.failure is None and (failure := self._offence(child)) is not None:
            child.failure = failure
            log.warning("worker %s (pid %d) is killed: %s", child.worker_id, child.process.pid, failure.reason)
            offspring.kill(child.process)

    def _start(self, number: int) -> _Child:
        plan, db = self._plan, self._queue.db
        worker_id = f"{socket.gethostname()[:24]}-{os.getpid()}-{number}-{secrets.token_hex(3)}"
        load_by = time.monotonic() + self._queue.settings.start_timeout_s
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the worker
        orders = Orders(
            url=db.url,
            database=db.settings.model_dump(exclude={"url"}),
            queue=self._queue.settings.model_dump(),
            worker_id=worker_id,
            handlers=plan.handlers,
            profile=asdict(plan.profile),
            options=asdict(plan.options),
            grace_s=plan.grace_s,
            board=file.fileno(),
            load_by=load_by,
            log=plan.log.model_dump(),
        )
        board = Board(file)
        # What a handler prints must not mix with what the parent prints for programs.
        process = subprocess.Popen(  # noqa: S603 - our own module
            python("core.queue.worker"),
            stdin=subprocess.PIPE,
            stdout=2,
            # A handler that opens a database by the settings gets this one, although the environment may name another.
            env=os.environ | {f"{PREFIX}DATABASE__URL": db.url},
            pass_fds=(file.fileno(),),
            bufsize=0,
            # What its handler starts ends with it, see `offspring`.
            process_group=0,
        )
        assert process.stdin is not None
        try:
            process.stdin.write(orders.line())
        except BrokenPipeError:
            # It died at once; the next look finds out.
            log.warning("worker %s did not read its orders", worker_id)
        memory = None if plan.memory_mb is None else MemoryGuard(plan.memory_mb)
        return _Child(process, worker_id, file, board, load_by, memory)

    def _offence(self, child: _Child) -> Failure | None:
        """Why the child must be killed, if it must."""
        now = time.monotonic()
        if self._stopped_at is not None and now > self._stopped_at + self._plan.grace_s + KILL_AFTER_S:
            return STOPPED
        shown = child.board.look()
        if not shown.loaded and now > child.load_by + DUMP_S:
            place = standing.of_dump(os.pread(child.file.fileno(), 1 << 16, SIZE).decode(errors="replace"))
            limit_s = self._queue.settings.start_timeout_s
            said = f"its handler was not imported within {limit_s:g} s; it stands at {place}"
            return Failure("StartTimeout", said, fault="poison")
        if shown.batch_id is not None and now > shown.deadline - AHEAD_S:
            return Failure(
                "DeadlineExceeded",
                "the handler ran longer than the flow's max_runtime_s",
                outcome_if_retried="expired",
                fault="poison",
            )
        return None if child.memory is None else child.memory.look(shown, held_bytes(child.process.pid))

    def _ended(self, slot: _Slot, child: _Child, code: int) -> None:
        """Settle what the child leaves behind, and decide whether there is another one."""
        slot.child = None
        shown = child.board.look()
        self._close(child)
        # A handler that calls os._exit(0) has died too.
        died = code != 0 or (shown.batch_id is not None and self._stopped_at is None)
        if self._stopped_at is not None and not shown.ready and code == -signal.SIGTERM:
            died = False
        self._past = replace(self._past.with_work(shown), deaths=self._past.deaths + died)
        failure = child.failure or _died(code)
        # A failure of ours that blames no batch burns none of its attempts.
        given_back = failure.fault is None or (child.failure is None and self._stopped_at is not None)
        self._mourning.add(Dead(child.worker_id, None if given_back else shown.batch_id, failure))
        if not died:
            slot.done = True
        elif not slot.done:
            self._again(slot, code, shown.ready, shown.batches > 0)

    def _again(self, slot: _Slot, code: int, was_ready: bool, had_success: bool) -> None:
        self._false_starts = 0 if was_ready else self._false_starts + 1
        hopeless = not was_ready and (code == ConfigError.exit_code or self._false_starts >= FALSE_STARTS_MAX)
        if hopeless:
            self._past = replace(self._past, exit_code=code if code in (2, 75) else 1)
            log.error("workers do not start (exit code %d): giving up", code)
            self._finish()
            return
        slot.n_restarts = 0 if had_success else slot.n_restarts + 1
        pause_s = min(RESTART_BASE_S * 2.0 ** min(slot.n_restarts, 16), RESTART_MAX_S)
        slot.start_at = time.monotonic() + pause_s

    def _bury(self, dead: Dead) -> int:
        return bury(self._queue.db, dead.worker_id, dead.batch_id, dead.failure, self._queue.jitter)

    def _end_all(self) -> None:
        """After an error of ours: no worker outlives its supervisor's interest."""
        self._finish()
        for slot in self._slots:
            if slot.child is not None:
                slot.child.failure = STOPPED
                offspring.kill(slot.child.process)
                os.waitid(os.P_PID, slot.child.process.pid, os.WEXITED | os.WNOWAIT)
                self._ended(slot, slot.child, offspring.exit_code(slot.child.process) or 0)
        self._mourning.end(MOURNED_WITHIN_S)

    @staticmethod
    def _close(child: _Child) -> None:
        if child.process.stdin is not None:
            child.process.stdin.close()
        child.board.close()
        child.file.close()


def _close_both(told: int, tell: int) -> None:
    os.close(told)
    os.close(tell)


def _died(code: int) -> Failure:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        reason = f"the worker process was ended by {name}"
    else:
        reason = f"the worker process ended with exit code {code}"
    return Failure("WorkerDied", reason, outcome_if_retried="expired", fault="poison")
