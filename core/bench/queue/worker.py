"""A worker process of the queue benchmark: `python -m core.bench.queue.worker`, driven over its pipes.

A line of JSON in, a line of JSON out. The first names the side, the database (its URL may hold a password, hence not
as an argument) and the options; then come `prepare`, `enqueue` and `drain` until standard input ends.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from core.bench.queue.side import Side

# Imported when asked for: the other systems are not installed where nobody measures.
SIDES = {
    "headrace": "core.bench.queue.side_headrace:HeadraceSide",
    "records": "core.bench.queue.side_records:RecordsSide",
    "commits": "core.bench.queue.side_records:CommitsSide",
    "pgqueuer": "core.bench.queue.side_pgqueuer:PgqueuerSide",
    "procrastinate": "core.bench.queue.side_procrastinate:ProcrastinateSide",
}

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve until standard input ends."""
    # Ctrl-C is for whoever started us; they end us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not get between our lines.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    first = json.loads(sys.stdin.readline())
    module, name = SIDES[first["side"]].split(":")
    side: Side = getattr(importlib.import_module(module), name)(first["url"], first["options"])
    say({"ready": True})
    try:
        for line in sys.stdin:
            say(answer(side, json.loads(line), say))
    finally:
        side.close()


def answer(side: Side, order: dict[str, Any], say: Say) -> dict[str, Any]:
    """Do one order; `cpu_s` is what this process and its threads spent on it."""
    cpu_s = time.process_time()
    done: dict[str, Any] = {}
    match order["do"]:
        case "prepare":
            side.prepare(order["first"], order["rows"])
        case "enqueue":
            side.enqueue()
        case "drain":
            done = asdict(side.drain(order["limit_s"], lambda n_rows: say({"n_rows": n_rows})))
    return {**done, "end": True, "cpu_s": time.process_time() - cpu_s}


if __name__ == "__main__":
    main()
