"""A server whose files may not grow, as on a full disk (`ulimit -f`), and then may again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.database.embedded import EmbeddedServer
from core.errors import StoreUnavailable
from tests.chaos.fleet import LIMIT_S, Fleet, supervise, until
from tests.chaos.server import full_disk, postmaster

N = 20_000
# A WAL segment is 16 MiB and must still fit.
LIMIT_BYTES = 17 * 2**20
# Bytes added to each result: all of them need twice the limit.
PAD = 1_700
FULL = "could not extend file"


def test_work_goes_on_after_a_full_disk(
    own_fleet: Fleet, server: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    own_fleet.fill(N, 1_000)
    pid = postmaster(server)
    with full_disk(server, LIMIT_BYTES):
        workers = [own_fleet.start(f"worker-{n}", pad=PAD) for n in range(2)]
        refusals = [worker.wait_for("refused", 2) for worker in workers]
        with pytest.raises(StoreUnavailable, match="not available"):
            own_fleet.queue.enqueue(own_fleet.flow, [{"n": 0, "pad": "x" * 900}] * 20_000)
        assert postmaster(server) == pid
        n_done = sum(len(worker.said("done")) for worker in workers)
        assert 0 < n_done < N // 1_000
    own_fleet.drain()
    found = own_fleet.check(N)
    assert postmaster(server) == pid
    figures(
        f"disk full: sqlstate {refusals[0]['sqlstate']} after {n_done} of {N // 1_000} batches, server up, "
        f"the rest after the limit was lifted, lost {found.lost}, twice {found.twice}"
    )


def test_a_full_disk_is_not_the_fault_of_any_row(
    own_fleet: Fleet, server: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    """The consumer keeps its batch and tries again; nothing goes to the dead letters, no attempt is burnt."""
    own_fleet.fill(N, 1_000)
    history = "SELECT outcome, count(*) FROM queue_history WHERE flow_name = :f GROUP BY 1"
    running = "SELECT count(*) FROM processing_queue WHERE flow_name = :f AND state = 'running'"
    with full_disk(server, LIMIT_BYTES):
        consumer = supervise(own_fleet.url, own_fleet.flow, "bulky", processes=2, grace_s=5)
        # Its results fill the file, and then two batches are held that cannot be completed.
        seen = server.log.read_text().count(FULL)
        until(lambda: server.log.read_text().count(FULL) > seen + 6, "the disk is full")
        assert own_fleet.db.execute_query("running", running, {"f": own_fleet.flow}) == [(2,)]
    until(own_fleet.drained, "all is done")
    consumer.terminate()
    consumer.wait(LIMIT_S)
    found = own_fleet.check(N)
    assert own_fleet.db.execute_query("history", history, {"f": own_fleet.flow}) == [("completed", N // 1_000)]
    figures(f"disk full under a consumer: {found.batches} batches, each completed once, {found.dead} dead")
