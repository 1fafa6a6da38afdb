"""A worker process: `python -P -m core.queue.worker`, started and watched by core.queue.consumers.supervisor.

It reads its orders as one line of JSON from standard input (the URL may hold a password, hence not as an argument). The
pipe stays open as long as the supervisor lives and wants it to work: its end means to finish.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import select
import signal
import sys
import threading
import time

from pydantic import SecretStr

from core.database import DatabaseManager
from core.errors import HeadraceError
from core.metrics.logs import EVERY_ROOT, configure
from core.queue.batches import WorkerProfile
from core.queue.consumers import offspring, standing
from core.queue.consumers.consumer import Consumer, Options
from core.queue.consumers.orders import Orders
from core.queue.consumers.status_board import SIZE, Board
from core.queue.handlers import load_handler
from core.queue.queue import BatchQueue
from core.queue.store.wake import Wake
from core.settings import DatabaseSettings, LogSettings, QueueSettings

log = logging.getLogger(__name__)

ENDING_S = 10.0


def main() -> int:
    """Run one worker; the exit code is that of the error that ended it."""
    # Ctrl-C reaches the whole group; the supervisor decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline, orders = _orders()
    configure(LogSettings(**orders.log), roots=EVERY_ROOT)
    # It tells of its plug-ins whenever it is imported.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # `python -m` would have put the folder first, where a user's module could hide ours.
    sys.path.append(os.getcwd())
    code = 0
    try:
        _work(lifeline, orders)
    except HeadraceError as error:
        log.error("%s", error.message)
        code = error.exit_code
    _end_in_time(code)
    return code


def _end_in_time(code: int) -> None:
    """The interpreter waits for threads of the handler's, and runs what it registered; but not for ever."""

    def leave() -> None:
        places = ", ".join(standing.of_threads()[:5]) or "none; what is run at the end of a process hangs"
        log.warning("the worker has ended and its process has not, within %g s; threads: %s", ENDING_S, places)
        os._exit(code)

    timer = threading.Timer(ENDING_S, leave)
    timer.daemon = True
    timer.start()


def _orders() -> tuple[int, Orders]:
    """The orders, and the pipe they came by, out of the reach of handlers that read standard input."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    line = b""
    while not line.endswith(b"\n"):
        came = os.read(lifeline, 65_536)
        if not came:
            sys.exit(0)
        line += came
    return lifeline, Orders(**json.loads(line))


def _work(lifeline: int, orders: Orders) -> None:
    file = os.fdopen(orders.board, "r+b", buffering=0)
    board = Board(file)
    # Written without the interpreter's help, behind the numbers of the board; see core.queue.consumers.supervisor.
    file.seek(SIZE)
    if orders.load_by is not None:
        faulthandler.dump_traceback_later(max(0.001, orders.load_by - time.monotonic()), file=file)
    loaded = {spec: load_handler(spec) for spec in dict.fromkeys(orders.handlers.values())}
    faulthandler.cancel_dump_traceback_later()
    board.loaded()
    works = {flow_name: loaded[spec] for flow_name, spec in orders.handlers.items()}
    flow_names = list(works)
    db = DatabaseManager("worker", DatabaseSettings(url=SecretStr(orders.url), **orders.database))
    settings = QueueSettings(**orders.queue)
    queue = BatchQueue(db, settings, orders.worker_id)
    queue.profile = WorkerProfile(**orders.profile)
    with Wake(db, settings, flow_names) as wake, file:
        options = Options(**orders.options)
        consumer = Consumer(queue, flow_names, works, options, waker=wake, board=board)
        ended = threading.Event()
        _watch(consumer, lifeline, orders.grace_s, ended)
        board.ready()
        consumer.run()
        ended.set()
    db.dispose()


def _watch(consumer: Consumer, lifeline: int, grace_s: float, ended: threading.Event) -> None:
    """Start the thread that waits for the end of the lifeline, or for SIGTERM, while the main thread computes."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    # The interpreter writes a byte here even while the main thread is in a kernel. Its handler must do nothing: it may
    # interrupt the main thread where it holds a lock.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_listen_for_itself)

    def watch() -> None:
        select.select([lifeline, told], [], [])
        consumer.stop()
        if ended.wait(grace_s):
            return
        try:
            log.warning("the grace of %g s is over: %d batches given back", grace_s, consumer.give_back())
        except HeadraceError as error:
            log.warning("the batch in hand was not given back, its lease runs out: %s", error.message)
        # Its supervisor would see to that, if it lives.
        offspring.end(offspring.of(os.getpid()))
        os._exit(0)

    threading.Thread(target=watch, name="headrace-watch", daemon=True).start()


def _listen_for_itself() -> None:
    """A child that a handler forks: a signal to it must neither be swallowed nor be told to its parent."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
