"""The long chaos run: `python -m tests.chaos.long --minutes 30 --seed 7 --json F`, or `make chaos`.

Producers and workers are kept busy on a server of its own, while they and the server are killed, stopped, cut off and
starved at random moments, packets vanish, handlers fork, and sinks meet deadlocks, time-outs and lost connections.
Every few minutes, and at the end, the tables are counted: nothing lost, nothing twice.
Exit code 1 if something was, or if work lay still for longer than promised.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.database import DatabaseManager
from core.errors import StoreError
from core.queue import BatchQueue, FlowPolicy
from core.settings import DatabaseSettings, QueueSettings
from tests.chaos import account, mischief
from tests.chaos.fleet import PATIENT, until
from tests.chaos.proxy import Proxy
from tests.chaos.server import own_server

# What is promised: seconds from a death to the next run of the batch.
BY_LEASE_S, BY_SUPERVISOR_S, CLAIMABLE_S = 45.0, 2.0, 1.0
CHECK_EVERY_S = 120.0
# The server is away or starved: nobody can run anything then.
OUTAGES = {"kill -9 postmaster", "no connection left", "disk full", "packets swallowed"}
# A server that recovers, workers that reconnect and beat again.
AFTERMATH_S = 5.0


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from a kind of death to the next run; `calm`: without those in which the server was away, or the leader
    was lost as well, later than the worker: its duties lie still for another lease."""

    n: int
    p95_s: float
    max_s: float
    n_calm: int
    calm_max_s: float
    limit_s: float

    @property
    def kept(self) -> bool:
        """The promise is about one death at a time."""
        return self.calm_max_s <= self.limit_s


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.long", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None, help="of everything left to chance; printed")
    parser.add_argument("--lease-s", type=float, default=QueueSettings().lease_ttl_s)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--json", type=Path, default=None, help="where the report goes")
    given = parser.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    print(f"chaos: {given.minutes:g} minutes, seed {seed}, lease {given.lease_s:g} s", flush=True)
    # Below /tmp: a socket's path must be short, and open to the server's user.
    with tempfile.TemporaryDirectory(prefix="hc-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with own_server(Path(folder)) as server:
            db = DatabaseManager("chaos", DatabaseSettings(url=SecretStr(server.url()), connect_retry_s=30))
            (Path(folder) / "p").mkdir()
            proxy = Proxy(Path(folder) / "p", server.socket_dir, "reply")
            stage = mischief.Stage(server, proxy, db, random.Random(seed), given.lease_s, given.workers)
            report = run(stage, given.minutes * 60)
            db.dispose()
            proxy.close()
    report |= {"seed": seed, "minutes": given.minutes, "lease_s": given.lease_s, "machine": platform.platform()}
    show(report)
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if report["passed"] else 1


def run(stage: mischief.Stage, seconds: float) -> dict[str, Any]:
    """Mischief for so long, then quiet until nothing is live, then the account."""
    queue = BatchQueue(stage.db, QueueSettings(), "chaos-driver")
    for flow in ("leased", "supervised"):
        queue.register_flow(FlowPolicy(flow, **PATIENT))  # type: ignore[arg-type]
    checks: list[account.Stand] = []
    try:
        rampage(stage, seconds, checks)
        mischief.settle(stage)
        until(lambda: drained(stage), "everything is done after the last mischief", 300.0)
        return account_of(stage, checks)
    finally:
        mischief.finish(stage)


def rampage(stage: mischief.Stage, seconds: float, checks: list[account.Stand]) -> None:
    began = time.monotonic()
    next_check = began + min(CHECK_EVERY_S, seconds / 2)
    stage.tend()
    for process in (*stage.workers, *stage.producers):
        process.wait_for("ready")
    while time.monotonic() < began + seconds:
        stage.tend()
        # An outage of our own making may hit our own look at the tables.
        with contextlib.suppress(StoreError):
            mischief.next_one(stage.dice)(stage)
            if time.monotonic() >= next_check:
                next_check += CHECK_EVERY_S
                checks.append(account.stand(stage.db))
                print(f"{time.monotonic() - began:6.0f} s: {said(checks[-1])}", flush=True)
        pause(stage, stage.dice.uniform(0.5, 5.0))


def pause(stage: mischief.Stage, seconds: float) -> None:
    """Meanwhile the stopped are woken when it is time and the dead are replaced."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        stage.tend()
        time.sleep(0.05)


def drained(stage: mischief.Stage) -> bool:
    stage.tend()
    return stage.db.execute_query("live", "SELECT count(*) FROM processing_queue") == [(0,)]


def said(stand: account.Stand) -> str:
    return (
        f"{stand.batches:,} batches, {stand.rows:,} rows, {stand.done:,} done, {stand.live:,} live, "
        f"{stand.dead:,} dead, {stand.lost} lost, {stand.twice} twice"
    )


def account_of(stage: mischief.Stage, checks: list[account.Stand]) -> dict[str, Any]:
    """The whole account, as it is written down."""
    final = account.stand(stage.db)
    everyone = [*stage.gone, *stage.workers, *stage.producers]
    sent = [event for process in everyone for event in process.said("sent")]
    waits = {
        "killed worker, by lease": waited(stage, "SIGKILL worker", BY_LEASE_S),
        "killed worker, by supervisor": waited(stage, "SIGKILL supervised worker", BY_SUPERVISOR_S),
    }
    worst = max(stage.claimable_s, default=0.0)
    n_claimable = len(stage.claimable_s)
    after_term = Waits(n_claimable, account.p95(stage.claimable_s), worst, n_claimable, worst, CLAIMABLE_S)
    waits["given back after SIGTERM"] = after_term
    doubles = account.doubles(stage.db)
    missing = account.missing_chunks(stage.db, sent)
    # No handler fails here, so a dead letter would be somebody else's fault put on a row.
    sums_hold = (final.lost, final.twice, final.live, final.dead, doubles, missing) == (0,) * 6
    sums_hold = sums_hold and all((check.lost, check.twice) == (0, 0) for check in checks)
    return {
        "events": dict(sorted(Counter(event.kind for event in stage.events).items())),
        "attempts": account.outcomes(stage.db),
        "final": asdict(final),
        "doubles": doubles,
        "chunks_sent": len(sent),
        "chunks_missing": missing,
        "checks": [asdict(check) for check in checks],
        "waits": {name: {**asdict(wait), "kept": wait.kept} for name, wait in waits.items()},
        "passed": sums_hold and all(wait.kept for wait in waits.values()),
    }


def waited(stage: mischief.Stage, kind: str, limit_s: float) -> Waits:
    """From each death of that kind to the next run of what was held."""
    began = account.reruns(stage.db)
    away = [(event.at, event.until + AFTERMATH_S) for event in stage.events if event.kind in OUTAGES]
    spans = [
        (event.at, at)
        for event in stage.events
        if event.kind == kind
        for at in began.get(event.hit, [])
        if at > event.at
    ]
    seconds = [at - dead_at for dead_at, at in spans]
    lost_lead = [event.at for event in stage.events if event.hit and event.hit == event.led]
    calm = [
        at - dead_at
        for dead_at, at in spans
        if not any(lo < at and dead_at < hi for lo, hi in away) and not any(dead_at < later < at for later in lost_lead)
    ]
    return Waits(
        len(seconds), account.p95(seconds), max(seconds, default=0.0), len(calm), max(calm, default=0.0), limit_s
    )


def show(report: dict[str, Any]) -> None:
    """Two tables and a verdict."""
    print("\nevents")
    for kind, n in report["events"].items():
        print(f"  {kind:<28}{n:>8}")
    print("attempts")
    for outcome, n in report["attempts"].items():
        print(f"  {outcome:<28}{n:>8,}")
    print("rows")
    for name, n in {
        **report["final"],
        "doubles": report["doubles"],
        "chunks missing": report["chunks_missing"],
    }.items():
        print(f"  {name:<28}{n:>8,}")
    print(f"{'seconds to the next run':<30}{'n':>6}{'p95':>8}{'max':>8}{'calm n':>8}{'calm max':>10}{'limit':>7}")
    for name, wait in report["waits"].items():
        figures = (
            f"{wait['n']:>6}{wait['p95_s']:>8.2f}{wait['max_s']:>8.2f}{wait['n_calm']:>8}{wait['calm_max_s']:>10.2f}"
        )
        print(f"  {name:<28}{figures}{wait['limit_s']:>7.0f}")
    print("passed" if report["passed"] else "FAILED", f"(seed {report['seed']})")


if __name__ == "__main__":
    sys.exit(main())
