"""Worker processes of the benchmark, each behind a pair of pipes, that are told the same thing at once."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from core.errors import QueueError
from core.processes import python

OnRows = Callable[[int], None]


class Hand:
    """One process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def say(self, message: dict[str, Any]) -> None:
        """Write one line. Raises QueueError: the process is gone."""
        try:
            _pipe(self._process.stdin).write(json.dumps(message) + "\n")
            _pipe(self._process.stdin).flush()
        except BrokenPipeError:
            raise _ended() from None

    def hear(self) -> dict[str, Any]:
        """Read one line. Raises QueueError: the process is gone."""
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise _ended()
        heard: dict[str, Any] = json.loads(line)
        return heard

    def hear_out(self, on_rows: OnRows) -> dict[str, Any]:
        """Read to the end of an order; what comes before it says how far it is."""
        while True:
            heard = self.hear()
            if heard.get("end"):
                return heard
            on_rows(int(heard["n_rows"]))

    def dismiss(self) -> None:
        """End of orders; wait for the process. Raises QueueError if it failed."""
        _pipe(self._process.stdin).close()
        if self._process.wait() != 0:
            raise _ended()


class Crew:
    """All processes of one system."""

    def __init__(self, hands: Sequence[Hand]) -> None:
        self._hands = list(hands)

    def do(self, orders: Sequence[dict[str, Any]], on_rows: OnRows = lambda _: None) -> list[dict[str, Any]]:
        """Give the i-th process the i-th order, all at once; answers in the same order.

        Args:
            on_rows: called with the sum of the rows that all of them have done.
        """
        hands = self._hands[: len(orders)]
        lock, done = threading.Lock(), [0] * len(hands)

        def hear(i: int) -> dict[str, Any]:
            def moved(n_rows: int) -> None:
                with lock:
                    done[i] = n_rows
                    on_rows(sum(done))

            return hands[i].hear_out(moved)

        for hand, order in zip(hands, orders, strict=True):
            hand.say(order)
        with ThreadPoolExecutor(len(hands), "bench-ear") as pool:
            return list(pool.map(hear, range(len(hands))))

    def dismiss(self) -> None:
        """Let all end."""
        for hand in self._hands:
            hand.dismiss()


@contextmanager
def hired(side: str, url: str, options: dict[str, Any], n: int) -> Iterator[Crew]:
    """`n` processes of a side, connected and ready; they are ended whatever happens.

    Raises QueueError: a process ended with an error, which it wrote to standard error.
    """
    with ExitStack() as stack:
        hands = [Hand(stack.enter_context(_process())) for _ in range(n)]
        for hand in hands:
            hand.say({"side": side, "url": url, "options": options})
        for hand in hands:
            hand.hear()
        crew = Crew(hands)
        yield crew
        crew.dismiss()


@contextmanager
def _process() -> Iterator[subprocess.Popen[str]]:
    command = python("core.bench.queue.worker")
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        _pipe(process.stdout).close()
        if not _pipe(process.stdin).closed:
            _pipe(process.stdin).close()


def _ended() -> QueueError:
    return QueueError("a bench worker ended with an error; its message is above")


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
